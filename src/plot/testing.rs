//! Whether a page is well-formed and fetches nothing, for the tests of whatever makes pages.

/// Elements that have no end tag in HTML.
const VOID: [&str; 2] = ["meta", "br"];

/// Checks that every element of a page is closed in order, ids occur once, and nothing refers elsewhere.
///
/// # Panics
/// When something is otherwise.
pub fn assert_page(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html><html"), "{}", &page[..page.len().min(60)]);
    assert_eq!(page.matches("<style>").count(), 1);
    let (head, rest) = page.split_once("<style>").unwrap();
    let (style, rest) = rest.split_once("</style>").unwrap();
    assert!(!style.contains("url(") && !style.contains("@import"), "the style fetches something");
    let markup = format!("{head}{rest}");
    for elsewhere in [
        "src=", "href=", "<script", "<link", "<img", "<iframe", "<object", " onload", " onclick", " onerror", "url(", "http://", "https://",
    ] {
        let tags = markup.split('<').skip(1).map(|tag| tag.split('>').next().unwrap());
        assert!(
            !tags.map(|tag| format!("<{tag}")).any(|tag| tag.contains(elsewhere) && !tag.contains("Content-Security-Policy")),
            "{elsewhere}"
        );
    }
    let mut open = Vec::new();
    for tag in markup.split('<').skip(1).map(|rest| rest.split_once('>').expect("a tag that does not end").0) {
        let name = tag.split_whitespace().next().unwrap();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "an end tag in the wrong place");
        } else if name != "!DOCTYPE" && !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
    let mut ids: Vec<&str> = markup.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id stands twice");
    assert_eq!(markup.matches("<svg").count(), markup.matches("<desc").count(), "a plot without description");
}
