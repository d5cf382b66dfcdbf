//! Bringing a schema up to date, on either backend.

use sqlx::migrate::{Migrate, MigrateError, Migrator};

use crate::storage::{Trouble, trouble::trouble_of};

/// Where the driver keeps what has been applied.
const APPLIED: &str = "_sqlx_migrations";

/// Applies missing migrations. First it only reads whether any is missing: the driver would create its table first of all, and
/// the database user of an up-to-date schema may lack the right to create tables.
pub(super) async fn bring_up_to_date<C: Migrate>(
    connection: &mut C,
    mut migrations: Migrator,
) -> Result<(), MigrateError> {
    if is_up_to_date(connection, &migrations).await? {
        return Ok(());
    }
    tolerant(&mut migrations).run_direct(None, connection, false).await
}

/// Whether all of them have been applied. Those of a newer version may have been, too.
async fn is_up_to_date<C: Migrate>(connection: &mut C, migrations: &Migrator) -> Result<bool, MigrateError> {
    let applied = match connection.list_applied_migrations(APPLIED).await {
        Ok(applied) => applied,
        // The table is missing: nothing has ever been applied.
        Err(MigrateError::Execute(error)) if trouble_of(&error) == Trouble::Schema => return Ok(false),
        Err(error) => return Err(error),
    };
    let mut up_to_date = true;
    for migration in migrations.iter() {
        match applied.iter().find(|applied| applied.version == migration.version) {
            Some(applied) if applied.checksum != migration.checksum => {
                return Err(MigrateError::VersionMismatch(migration.version));
            }
            known => up_to_date &= known.is_some(),
        }
    }
    // One that has begun and not ended is told by the driver.
    Ok(up_to_date && connection.dirty_version(APPLIED).await?.is_none())
}

/// Accepts migrations of a newer version, which may have migrated the database during a rolling upgrade. Migrations expand
/// before they contract, so this version works on the newer schema.
pub(super) fn tolerant(migrations: &mut Migrator) -> &Migrator {
    migrations.set_ignore_missing(true)
}
