//! Issues about objects of the seed.

use jiff::SignedDuration;
use serde_json::json;

use super::{Named, Seed, collection, earlier, ids};
use crate::stored::Fields;

/// Collection of the object, how serious, category, rule, title (the object's name follows), body.
const ISSUES: [(&str, &str, &str, &str, &str, &str); 4] = [
    (
        collection::POOLS,
        "WARNING",
        "CAPACITY",
        "pool-nearly-full",
        "Capacity warning for the pool",
        "The pool is above its warning threshold. Add capacity or delete volumes that nobody needs.",
    ),
    (
        collection::VOLUMES,
        "CRITICAL",
        "PERFORMANCE",
        "volume-latency",
        "High latency of the volume",
        "Hosts wait longer for the volume than they should. Look for another volume of the pool that is busy.",
    ),
    (
        collection::HOSTS,
        "INFO",
        "CONFIGURATION",
        "host-single-path",
        "Only one path to the host",
        "The host has one initiator. Add a second one, so that it keeps its volumes when the first fails.",
    ),
    (
        collection::SYSTEMS,
        "LOW",
        "SOFTWARE",
        "software-update",
        "A software update is available for the system",
        "Plan an update of the system.",
    ),
];

impl Seed<'_> {
    /// Each is about the oldest object of its kind.
    pub(super) fn issues(&mut self) {
        let mut ids = self.examples.ids(Named::Issue);
        while ids.len() < ISSUES.len() {
            ids.push(ids::task(&mut self.rng));
        }
        for (number, id) in ids.iter().enumerate() {
            let (about, severity, category, rule, title, body) = ISSUES[number % ISSUES.len()];
            let Some(object) = self.first(about) else {
                continue;
            };
            let kind = if severity == "LOW" {
                "RECOMMENDATION"
            } else {
                "ISSUE"
            };
            let hours = i64::try_from(number).unwrap_or_default() + 1;
            let created = earlier(self.now, SignedDuration::from_hours(hours));
            let issue = json!({
                "id": id,
                "about": about,
                "aboutId": object.text("id"),
                "owner": collection::SYSTEMS,
                "ownerId": object.text("systemId"),
                "issueType": kind,
                "severity": severity,
                "category": category,
                "ruleId": rule,
                "title": title,
                "body": body,
                "createdAt": ids::time(created),
            });
            self.put(collection::ISSUES, issue);
        }
    }
}
