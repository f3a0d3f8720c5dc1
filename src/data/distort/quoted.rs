//! An earlier mail, quoted under the message.

use super::added::{Added, Place};

const QUOTES: &[&str] = &[
    "\n\n> Thank you for your message. We have received it and one of our team will answer as soon as possible.\n> Please do not change the subject line.",
    "\n\n-----Original Message-----\nFrom: Customer Care\nSubject: Re: your message\n\nThank you for writing to us. Could you tell us a little more?",
    "\n\n>> Hello and thanks for getting in touch!\n>> We are looking into this.\n>> Kind regards, your service team",
    "\n\n________________________________\nFrom: Support\nSubject: We have got your message\n\nWe will come back to you. This is an automatic answer.",
    "\n\n> Hi there,\n> sorry to keep you waiting, we are busier than usual at the moment.\n> The support team",
    "\n\n--- Previous message ---\nDear customer, your message has reached us and is waiting to be read. Thank you for your patience.",
    "\n\nOn the customer desk's behalf, a colleague wrote:\n> Many thanks for contacting us.\n> How did we do? Rate this chat with one to five stars.",
    "\n\n| Good day,\n| please note that this mailbox is read on working days only.\n| Best wishes from the whole team",
];

/// The shop's own last mail beneath the customer's words.
pub const QUOTED: Added = Added { name: "quoted", about: "an earlier mail of the shop quoted beneath", list: QUOTES, place: Place::Behind };
