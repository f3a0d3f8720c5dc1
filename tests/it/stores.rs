//! Stores for tests: SQLite in a folder of its own, and PostgreSQL where `HEARKEN_TEST_POSTGRES` names a server (`scripts/with-postgres`
//! starts one), in a database of its own.

use hearken::store::{Address, Store};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use std::sync::atomic::{AtomicU32, Ordering};

pub struct TestStore {
    pub store: Store,
    pub address: Address,
    pub _folder: tempfile::TempDir,
}

impl TestStore {
    /// The same store, opened again.
    pub async fn again(&self) -> Store {
        Store::open(self.address.clone()).await.unwrap()
    }
}

pub async fn sqlite() -> TestStore {
    let folder = tempfile::tempdir().unwrap();
    let address = Address::Sqlite(folder.path().join("hearken.db"));
    TestStore { store: Store::open(address.clone()).await.unwrap(), address, _folder: folder }
}

pub async fn postgres() -> Option<TestStore> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let Ok(server) = std::env::var("HEARKEN_TEST_POSTGRES") else {
        eprintln!("skipped on PostgreSQL: HEARKEN_TEST_POSTGRES is not set; scripts/with-postgres sets it");
        return None;
    };
    let name = format!("test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut connection = sqlx::PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
    connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    let address = Address::Postgres(format!("{server}/{name}"));
    Some(TestStore { store: Store::open(address.clone()).await.unwrap(), address, _folder: tempfile::tempdir().unwrap() })
}

/// Every kind of store that there is here.
pub async fn all() -> Vec<TestStore> {
    std::iter::once(sqlite().await).chain(postgres().await).collect()
}
