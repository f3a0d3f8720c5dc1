//! That marks lie where their values say, and that no text escapes its place.

use super::*;

const CAPTION: Caption<'static> = Caption { id: "plot", title: "A < B & \"C\"", description: "</svg><script>" };

/// The values of an attribute in the elements that begin with `element`.
fn attribute(markup: &Markup, element: &str, name: &str) -> Vec<f64> {
    let tags = markup.0.split('<').filter(|tag| tag.starts_with(element)).map(|tag| tag.split('>').next().unwrap());
    let values = tags.filter_map(|tag| tag.split(&format!(" {name}=\"")).nth(1)).map(|rest| rest.split('"').next().unwrap());
    values.map(|value| value.parse().unwrap()).collect()
}

fn assert_whole(markup: &Markup) {
    testing::assert_page(&page("<title>", &[("<name>", "<value>".to_owned())], &section("a & b", "", markup)));
    assert!(markup.0.contains("A &lt; B &amp; ") && markup.0.contains("&lt;/svg&gt;&lt;script&gt;"), "{}", markup.0);
}

#[test]
fn bars_are_as_long_as_their_values() {
    let bar = |label: &str, value| Bar { label: label.to_owned(), value, mark: Some(1.0), note: "<note>".to_owned() };
    let long = "<i>".repeat(20);
    let plot = bars(&CAPTION, &Axis::share("F1"), &[bar("a", 0.25), bar(&long, 0.5), bar("c", 2.0), bar("d", f64::NAN)], Some("mark"));
    assert_whole(&plot);
    assert_eq!(attribute(&plot, "rect class=\"bar\"", "width"), [90.0, 180.0, 360.0, 0.0]);
    assert!(plot.0.contains(&"&lt;i&gt;".repeat(20)), "the whole label is in the title");
}

#[test]
fn columns_stand_on_the_axis() {
    let column = |from, value| Column { from, to: from + 0.5, value, note: "<note>".to_owned(), pale: value < 0.5 };
    let plot = columns(&CAPTION, &Axis::share("x"), &Axis::share("y"), &[column(0.0, 0.25), column(0.5, 1.0)], true);
    assert_whole(&plot);
    assert_eq!(attribute(&plot, "rect", "height"), [65.0, 260.0]);
    assert_eq!(attribute(&plot, "rect", "y"), [205.0, 10.0]);
    assert_eq!(plot.0.matches("bar pale").count(), 1);
}

#[test]
fn lines_go_through_their_points() {
    let line = Line { name: "<one>", points: vec![(0.0, 0.0), (0.5, 1.0), (1.0, 0.5)] };
    let plot = lines(&CAPTION, (&Axis::share("x"), &Axis::share("y")), &[line.clone(), line], false, Some((0.75, 0.5, "<here>")));
    assert_whole(&plot);
    assert_eq!(plot.0.matches("points=\"56.0,270.0 236.0,10.0 416.0,140.0\"").count(), 2);
    assert_eq!((attribute(&plot, "circle", "cx"), attribute(&plot, "circle", "cy")), (vec![326.0], vec![140.0]));
    assert!(plot.0.contains("&lt;here&gt;") && plot.0.contains("class=\"legend\""));
}

#[test]
fn the_matrix_is_darker_where_there_is_more() {
    let cells = vec![(0, 0, 50), (0, 1, 1), (1, 2, 9), (2, 0, 4)];
    let plot = heat(&CAPTION, &Heat { labels: vec!["a", "<b>", "c"], cells, rows: "known", columns: "said" });
    assert_whole(&plot);
    assert_eq!(plot.0.matches("class=\"same\"").count(), 1);
    let shades = attribute(&plot, "rect class=\"cell\"", "fill-opacity");
    assert!(shades.len() == 3 && shades[0] < shades[2] && shades[2] < shades[1] && shades[1] == 1.0, "{shades:?}");
    let (x, y) = (attribute(&plot, "rect class=\"cell\"", "x"), attribute(&plot, "rect class=\"cell\"", "y"));
    assert!((x[1] - x[0] - 26.0).abs() < 0.11 && (y[1] - y[0] - 26.0).abs() < 0.11, "one column and one row on");
}

#[test]
fn zero_lies_in_the_middle() {
    let whisker = |value, good| Whisker { label: "<w>".to_owned(), value, low: value - 0.1, high: value + 0.1, good };
    let plot = whiskers(&CAPTION, &[whisker(0.3, Some(true)), whisker(0.0, None), whisker(-0.3, Some(false))], ("good", "bad"));
    assert_whole(&plot);
    let centres = attribute(&plot, "circle", "cx");
    assert!((centres[0] - centres[1] - (centres[1] - centres[2])).abs() < 0.21, "{centres:?}");
    for class in ["whisker one", "whisker two", "whisker three"] {
        assert_eq!(plot.0.matches(class).count(), 1, "{class}");
    }
}
