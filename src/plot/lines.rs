//! Lines between two axes: curves.

use super::axis::Axis;
use super::frame::{Area, Caption, at, figure};
use maud::{Markup, html};

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
}

/// Classes of the first, second and further lines.
const CLASSES: [&str; 3] = ["one", "two", "three"];

/// Lines over `x`; `steps` draws each point's height until the next point, as of shares that are counted; `diagonal` draws the line of
/// equal values; `mark` is a point with its name.
#[must_use]
pub fn lines(
    caption: &Caption<'_>,
    axes: (&Axis<'_>, &Axis<'_>),
    lines: &[Line<'_>],
    diagonal: bool,
    mark: Option<(f64, f64, &str)>,
) -> Markup {
    let area = Area { x: axes.0, y: axes.1 };
    let class = |index: usize| CLASSES.get(index).copied().unwrap_or("three");
    let path = |line: &Line<'_>| {
        let points = line.points.iter().map(|(x, y)| format!("{},{}", at(area.across(*x)), at(area.up(*y))));
        points.collect::<Vec<_>>().join(" ")
    };
    let legend = (lines.len() > 1).then(|| {
        html! { p.legend { @for (index, line) in lines.iter().enumerate() { span class={ "key " (class(index)) } {} " " (line.name) " " } } }
    });
    let content = html! {
        (area.axes())
        @if diagonal { (area.diagonal()) }
        @for (index, line) in lines.iter().enumerate() {
            polyline class={ "line " (class(index)) } points=(path(line)) { title { (line.name) } }
        }
        @if let Some((x, y, name)) = mark {
            circle.point cx=(at(area.across(x))) cy=(at(area.up(y))) r="4.5" { title { (name) } }
            // To the left of a point in the right half, so that the name stays on the plot.
            @if axes.0.place(x) > 0.5 {
                text.name x=(at(area.across(x) - 9.0)) y=(at(area.up(y) + 16.0)) text-anchor="end" { (name) }
            } @else {
                text.name x=(at(area.across(x) + 9.0)) y=(at(area.up(y) + 16.0)) { (name) }
            }
        }
    };
    figure(caption, Area::SIZE, legend.as_ref(), &content)
}
