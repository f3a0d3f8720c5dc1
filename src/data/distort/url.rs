//! A link in the message.

use super::{Changes, Distortion, Message, one_of};
use rand_chacha::ChaCha8Rng;

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
pub struct Url;

impl Distortion for Url {
    fn name(&self) -> &'static str {
        "url"
    }

    fn about(&self) -> &'static str {
        "a link behind the words"
    }

    fn distort(&self, message: &Message<'_>, dice: &mut ChaCha8Rng) -> Changes {
        Changes { after: one_of(message.purpose.half(LINKS), dice).to_owned(), ..Changes::default() }
    }
}
