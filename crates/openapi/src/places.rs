//! Where the parts of a text stand: one flat table, without a tree beside the value's own.
//!
//! Every value has one entry, an object or list before its members, so that the entries of a value
//! and all inside it are one run. That makes a definition of 130,000 values a table of 1.5 MB.

use serde_json::Value;

use crate::document::{join, unescape};
use crate::problem::Position;

/// The places of a value and of everything inside it, in the order of the value.
#[derive(Debug, Default)]
pub(crate) struct Places {
    entries: Vec<Entry>,
    /// Numbers that a `serde_json::Number` cannot hold as they are written.
    numbers: Vec<(u32, Box<str>)>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    line: u32,
    column: u32,
    /// This entry and those of everything inside.
    length: u32,
}

/// Which entry of the table belongs to a value.
pub(crate) type Node = usize;

impl Places {
    /// Adds the place of a value. Everything added until [`Self::close`] is inside it.
    pub(crate) fn open(&mut self, position: Position) -> Node {
        self.entries.push(Entry {
            line: narrow(position.line),
            column: narrow(position.column),
            length: 1,
        });
        self.entries.len() - 1
    }

    pub(crate) fn close(&mut self, node: Node) {
        self.entries[node].length = narrow(self.entries.len() - node);
    }

    /// Adds the place of a value that has nothing inside.
    pub(crate) fn leaf(&mut self, position: Position) -> Node {
        self.open(position)
    }

    /// How the number that was added last is written.
    pub(crate) fn number(&mut self, written: &str) {
        let node = narrow(self.entries.len() - 1);
        self.numbers.push((node, written.into()));
    }

    /// The node that is added next.
    pub(crate) fn next(&self) -> Node {
        self.entries.len()
    }

    /// Takes everything from `node` on out of the table.
    pub(crate) fn split_off(&mut self, node: Node) -> Places {
        let entries = self.entries.split_off(node);
        let from = self
            .numbers
            .partition_point(|(at, _)| (*at as usize) < node);
        let mut numbers = self.numbers.split_off(from);
        for (at, _) in &mut numbers {
            *at -= narrow(node);
        }
        Places { entries, numbers }
    }

    /// Adds a copy of `other`, whose first value then begins at `position` if one is given.
    pub(crate) fn append(&mut self, other: &Places, position: Option<Position>) {
        let start = self.entries.len();
        self.entries.extend_from_slice(&other.entries);
        if let (Some(position), Some(first)) = (position, self.entries.get_mut(start)) {
            first.line = narrow(position.line);
            first.column = narrow(position.column);
        }
        let moved = other.numbers.iter();
        self.numbers
            .extend(moved.map(|(at, text)| (at + narrow(start), text.clone())));
    }

    /// A copy of the places of one value and all inside.
    pub(crate) fn copy(&self, node: Node) -> Places {
        let end = self.end(node);
        let numbers = self.numbers.iter();
        Places {
            entries: self.entries[node..end].to_vec(),
            numbers: numbers
                .filter(|(at, _)| (node..end).contains(&(*at as usize)))
                .map(|(at, text)| (at - narrow(node), text.clone()))
                .collect(),
        }
    }

    /// The nodes of the members of the value at `node`, in order.
    pub(crate) fn members(&self, node: Node) -> impl Iterator<Item = Node> + '_ {
        let end = self.end(node);
        let mut next = node + 1;
        std::iter::from_fn(move || {
            let member = next;
            (member < end).then(|| next = self.end(member))?;
            Some(member)
        })
    }

    /// The node of what `pointer` (RFC 6901) names inside `value`, or of the nearest around it.
    pub(crate) fn find(&self, value: &Value, pointer: &str) -> Node {
        let (mut value, mut node) = (value, 0);
        for token in pointer.split('/').skip(1) {
            let token = unescape(token);
            let inner = match value {
                Value::Object(members) => members
                    .iter()
                    .position(|(name, _)| *name == token)
                    .and_then(|index| Some((members.get(&token)?, index))),
                Value::Array(items) => token
                    .parse()
                    .ok()
                    .and_then(|index: usize| Some((items.get(index)?, index))),
                _ => None,
            };
            let found =
                inner.and_then(|(value, index)| Some((value, self.members(node).nth(index)?)));
            let Some(found) = found else { break };
            (value, node) = found;
        }
        node
    }

    /// The pointer to the value that a node belongs to.
    pub(crate) fn pointer(&self, value: &Value, node: Node) -> String {
        let mut pointer = String::new();
        let (mut value, mut at) = (value, 0);
        while at != node {
            let members = self.members(at).enumerate();
            let Some((index, member)) = members.take_while(|(_, member)| *member <= node).last()
            else {
                break;
            };
            let inner = match value {
                Value::Object(members) => members.iter().nth(index).map(|(name, inner)| {
                    pointer = join(&pointer, name);
                    inner
                }),
                Value::Array(items) => items.get(index).inspect(|_| {
                    pointer = join(&pointer, &index.to_string());
                }),
                _ => None,
            };
            let Some(inner) = inner else { break };
            (value, at) = (inner, member);
        }
        pointer
    }

    pub(crate) fn position(&self, node: Node) -> Position {
        self.entries
            .get(node)
            .map_or(Position::START, |entry| Position {
                line: entry.line as usize,
                column: entry.column as usize,
            })
    }

    /// How the number at a node is written, where its value does not say it.
    pub(crate) fn written(&self, node: Node) -> Option<&str> {
        let found = self
            .numbers
            .binary_search_by_key(&node, |(at, _)| *at as usize);
        Some(&self.numbers[found.ok()?].1)
    }

    fn end(&self, node: Node) -> usize {
        node + self
            .entries
            .get(node)
            .map_or(0, |entry| entry.length as usize)
    }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
