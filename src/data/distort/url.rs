//! A link in the message.

use super::added::{Added, Place};

const LINKS: &[&str] = &[
    " https://shop.example/p/77a1?ref=mail",
    " see https://www.example.com/item/9f3c-22",
    " http://example.org/my-account/view",
    "\nhttps://m.example.net/s/Qz8eK",
    " (https://example.com/help/article)",
    " www.shop.example/c/new?sort=up&page=3",
    " https://img.example.org/u/photo_0912.jpg",
    " link: https://example.net/r/5Yt0",
];

/// A link behind the words.
pub const URL: Added = Added { name: "url", about: "a link behind the words", list: LINKS, place: Place::Behind };
