//! Tasks that have ended.

use jiff::SignedDuration;

use super::super::tasks;
use super::{Named, Seed, collection, earlier, ids};
use crate::stored::Fields;

impl Seed<'_> {
    pub(super) fn tasks(&mut self) {
        let mut ids = self.examples.ids(Named::Task);
        if ids.is_empty() {
            ids.push(ids::task(&mut self.rng));
        }
        let Some(volume) = self.first(collection::VOLUMES) else {
            return;
        };
        let name = volume.text("name").to_owned();
        let uri = format!(
            "/api/v1/storage-systems/device-type1/{}/volumes/{}",
            volume.text("systemId"),
            volume.text("id")
        );
        let source = tasks::reference("volume", &name, uri);
        let created = earlier(self.now, SignedDuration::from_hours(24));
        let end = created
            .checked_add(self.settings.task_duration)
            .unwrap_or(created)
            .max(created);
        for id in ids {
            let title = format!("Create volume {name}");
            let task = tasks::ended(
                &id,
                &title,
                "seed@example.com",
                source.clone(),
                created,
                end,
            );
            self.put(collection::TASKS, task);
        }
    }
}
