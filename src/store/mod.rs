//! What must survive? Conversations, decisions, the outbox, events. SQLite by default, PostgreSQL for several replicas.
//!
//! Both speak the same SQL but for what [`Dialect`] says. Every change of a conversation names the version it was made from, so two
//! writers never both win; changes are written in groups, one transaction each.

mod conversations;
mod deliveries;
mod dialect;
mod disk;
mod documents;
mod error;
mod events;
mod handovers;
mod open;
mod rows;
mod upkeep;
mod writer;

pub use conversations::{LOOKBACK, Remembered};
pub use deliveries::{Due, Finished};
pub use dialect::{Dialect, Postgres, Sqlite};
pub use documents::DocumentKind;
pub use error::StoreError;
pub use events::{EventKind, EventRow, Wish};
pub use handovers::{DeliveryRow, HandoverRow, HandoverState};
pub use open::{Address, Store};
pub use rows::{ConversationRow, MessageRow, moment};
pub use upkeep::{Purged, Verified};
pub use writer::{Change, Written};
