//! Sixty words about something else, before the matter.

use super::added::{Added, Place};

/// Each some sixty words, without an entity and without a request.
const STORIES: &[&str] = &[
    "Right, bear with me. I'm on my way home from work and it has been one of those days, the train stood still for ages, nobody told us why, \
     and a man beside me was explaining to the whole carriage how he had trained his dog to open doors. Anyway, I finally have a seat and a \
     signal, so I thought I'd write this down before I forget it again. ",
    "I don't usually write to companies, my sister does that in our family, she has a folder for everything and knows everyone by name. But she \
     is away with the children and told me that I am a grown-up and can do it myself, so here I am, typing with two fingers while the dinner is \
     on the stove and somebody is ringing at the door. ",
    "Long story, sorry. We moved house, half of our things are still in boxes, the neighbours are lovely but their cat has decided that it lives \
     with us now, and between all of that I lost track of what I wanted to do. This morning I found my own note on the fridge, and it said in big \
     letters that I should get in touch with you, so that is what I'm doing. ",
    "Let me explain how this came about, because otherwise it makes no sense. My mother turned eighty, the whole family came together, there was \
     music and far too much cake, and somewhere between the speeches and the dancing we got to talking about you, as one does. My brother said to \
     write, my uncle said to leave it, and I promised to see to it myself. ",
    "Hope you're having a better day than me. The heating has given up, the little one has a cold, and I have been sitting in the kitchen with three \
     jumpers on since breakfast, trying to get through a list that only ever gets longer. You are number four on it, after the doctor, the school \
     and the man who was meant to look at the boiler, so let's see whether this goes well. ",
    "So I was talking to a friend about this over coffee, and she couldn't believe it, because she has never had to write to a shop in her whole \
     life, can you imagine, she just lets things be. I'm not like that, I like it when matters are settled, even if it takes an evening. The \
     telly is off, the phone is charged and the cat is asleep on my feet, so here we go. ",
    "First of all I should say that I am writing on behalf of my husband, who is standing behind me and dictating, and who does not agree with how I \
     put things, which is nothing new after all those years. He thinks one should be brief. I think one should be friendly. In the end we agreed \
     that I write it my way and he reads it before it goes out, so please forgive the length. ",
    "I've just come back from a long walk along the river, which always helps me to think, and there were geese everywhere, and a boy who tried to \
     count them and began again each time one of them flew off. I had to laugh. And while I stood there I remembered that I still had this one \
     thing to clear up with you, which I have been putting off for no good reason at all. ",
];

/// A story before the request.
pub const STORY: Added =
    Added { name: "story", about: "sixty words about something else before the matter", list: STORIES, place: Place::Before };
