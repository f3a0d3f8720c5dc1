//! Should a human take over? Facts go in, a decision with all its reasons comes out. Pure: time and history are facts.

mod decision;
mod file;
mod rules;

pub use decision::{Decision, Facts, Finding, Policy, Priority, Rule, RuleError};
pub use file::{Acknowledgements, Escalate, PolicyError, PolicyFile};
