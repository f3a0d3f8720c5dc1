//! Should a human take over? Facts go in, a decision with all its reasons comes out. Pure: time and history are facts.

mod conversation;
mod decision;
mod episode;
mod facts;
mod file;
mod hours;
mod rules;
mod verdict;
mod words;

pub use conversation::{Course, Message};
pub use decision::{Action, Decision, Effect, Finding, Priority, QuickReply, Rule, RuleError};
pub use episode::{Ended, Episode, Open};
pub use facts::{Facts, HISTORY, Past};
pub use file::{Escalate, Override, PolicyError, PolicyFile, When};
pub use rules::IDS;
pub use verdict::Policy;
