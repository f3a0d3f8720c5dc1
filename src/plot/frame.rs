//! What every plot has around it: a title and a description for all readers, and axes for those that have two.

use super::axis::{Axis, tick_label};
use maud::{Markup, html};

/// What a plot shows, in words.
#[derive(Debug, Clone, Copy)]
pub struct Caption<'a> {
    /// Name of the plot's elements, once on a page.
    pub id: &'a str,
    /// What it shows.
    pub title: &'a str,
    /// How to read it, and what one sees.
    pub description: &'a str,
}

/// A coordinate, in tenths.
pub(super) fn at(value: f64) -> String {
    format!("{value:.1}")
}

/// Room that a text of so many characters takes at 12 units, a little generous.
#[expect(clippy::cast_precision_loss, reason = "labels are short")]
pub(super) fn room(characters: usize) -> f64 {
    characters as f64 * 6.9
}

/// A figure with its SVG of `size` (width and height in pixels where there is room for it).
pub(super) fn figure(caption: &Caption<'_>, size: (f64, f64), legend: Option<&Markup>, content: &Markup) -> Markup {
    let (width, height) = size;
    html! {
        figure id=(caption.id) {
            figcaption { strong { (caption.title) } " " span.note { (caption.description) } }
            @if let Some(legend) = legend { (legend) }
            svg viewBox={ "0 0 " (at(width)) " " (at(height)) } style={ "max-width:" (at(width)) "px" } role="img"
                aria-labelledby={ (caption.id) "-title " (caption.id) "-text" } {
                title id={ (caption.id) "-title" } { (caption.title) }
                desc id={ (caption.id) "-text" } { (caption.description) }
                (content)
            }
        }
    }
}

/// The area between two axes.
pub(super) struct Area<'a> {
    pub x: &'a Axis<'a>,
    pub y: &'a Axis<'a>,
}

impl Area<'_> {
    const LEFT: f64 = 56.0;
    const TOP: f64 = 10.0;
    const WIDTH: f64 = 360.0;
    const HEIGHT: f64 = 260.0;
    /// The whole plot, with the room for labels.
    pub const SIZE: (f64, f64) = (Self::LEFT + Self::WIDTH + 16.0, Self::TOP + Self::HEIGHT + 46.0);

    pub fn across(&self, value: f64) -> f64 {
        Self::LEFT + self.x.place(value) * Self::WIDTH
    }

    pub fn up(&self, value: f64) -> f64 {
        Self::TOP + (1.0 - self.y.place(value)) * Self::HEIGHT
    }

    /// Lines and labels of both axes.
    pub fn axes(&self) -> Markup {
        let (right, bottom) = (Self::LEFT + Self::WIDTH, Self::TOP + Self::HEIGHT);
        html! {
            @for tick in self.y.ticks() {
                line.grid x1=(at(Self::LEFT)) x2=(at(right)) y1=(at(self.up(tick))) y2=(at(self.up(tick))) {}
                text.tick x=(at(Self::LEFT - 8.0)) y=(at(self.up(tick) + 4.0)) text-anchor="end" { (tick_label(tick, self.y.to - self.y.from)) }
            }
            @for tick in self.x.ticks() {
                line.grid x1=(at(self.across(tick))) x2=(at(self.across(tick))) y1=(at(bottom)) y2=(at(bottom + 4.0)) {}
                text.tick x=(at(self.across(tick))) y=(at(bottom + 18.0)) text-anchor="middle" { (tick_label(tick, self.x.to - self.x.from)) }
            }
            line.axis x1=(at(Self::LEFT)) x2=(at(right)) y1=(at(bottom)) y2=(at(bottom)) {}
            text.label x=(at(Self::LEFT + Self::WIDTH / 2.0)) y=(at(bottom + 38.0)) text-anchor="middle" { (self.x.label) }
            text.label x="14" y=(at(Self::TOP + Self::HEIGHT / 2.0)) text-anchor="middle"
                transform={ "rotate(-90 14 " (at(Self::TOP + Self::HEIGHT / 2.0)) ")" } { (self.y.label) }
        }
    }

    /// The line on which both axes are equal.
    pub fn diagonal(&self) -> Markup {
        html! {
            line.diagonal x1=(at(self.across(self.x.from))) y1=(at(self.up(self.y.from))) x2=(at(self.across(self.x.to))) y2=(at(self.up(self.y.to))) {}
        }
    }
}
