//! The JSON of `/v1/classify`.

mod answer;
mod request;

pub use answer::{ResponseBody, ResultObject, Shape, Usage, attributions, result};
pub use request::{ContextTurn, Customer, InputObject, Object, RequestBody, RequestOptions, Task};
