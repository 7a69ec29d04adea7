//! What an item of a list is made of.

use crate::definition::Definition;
use crate::marks::{each_property, items_schema};
use crate::operation::Operation;

impl Definition {
    /// The names of the properties that an item of the list that `operation` answers has, in the order
    /// of the definition. Empty when the answer is no list.
    pub fn item_properties(&self, operation: &Operation) -> Vec<String> {
        let answer = operation
            .responses()
            .iter()
            .find(|(status, _)| status == "200")
            .and_then(|(_, schema)| schema.as_ref());
        let Some(items) = answer.and_then(|answer| items_schema(self.document(), answer)) else {
            return Vec::new();
        };
        let mut names = Vec::new();
        each_property(self.document(), items, &mut |name, _| {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        });
        names
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{operation, small};

    #[test]
    fn the_properties_of_an_item_stand_in_the_order_of_the_definition() {
        let small = small();
        let names = small.item_properties(operation(&small, "ListSystems"));
        assert_eq!(names[..2], ["id", "name"]);
        assert!(names.len() > 3, "{names:?}");
        assert!(
            small
                .item_properties(operation(&small, "GetSystem"))
                .is_empty()
        );
    }
}
