//! Names as people vary them: letter case, underscores, plurals.

/// A name without what people vary: `page_limit`, `pageLimit` and `Page-Limit` are one.
pub(super) fn key(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// Whether two names are one.
pub(super) fn same(one: &str, other: &str) -> bool {
    key(one) == key(other)
}

/// One of what a collection is called after: `libraries` → `library`.
pub(super) fn singular(word: &str) -> String {
    let endings = [
        ("ies", "y"),
        ("sses", "ss"),
        ("shes", "sh"),
        ("ches", "ch"),
        ("xes", "x"),
    ];
    for (many, one) in endings {
        if let Some(stem) = word.strip_suffix(many) {
            return format!("{stem}{one}");
        }
    }
    match word.strip_suffix('s') {
        Some(stem) if !stem.ends_with(['s', 'u']) => stem.to_owned(),
        _ => word.to_owned(),
    }
}

/// The words of a name: `edit-iscsi` and `editIscsi` are `edit` and `iscsi`.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        if !letter.is_ascii_alphanumeric() || letter.is_ascii_uppercase() {
            words.push(String::new());
        }
        if let (true, Some(word)) = (letter.is_ascii_alphanumeric(), words.last_mut()) {
            word.push(letter.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_one_name() {
        assert!(same("page_limit", "pageLimit") && same("NodeId", "nodeID"));
        assert!(!same("pageLimit", "pageLimits"));
    }

    #[test]
    fn plurals_become_singulars() {
        let pairs = [
            ("libraries", "library"),
            ("books", "book"),
            ("boxes", "box"),
            ("status", "status"),
            ("access", "access"),
            ("classes", "class"),
        ];
        for (many, one) in pairs {
            assert_eq!(singular(many), one);
        }
    }

    #[test]
    fn names_fall_into_words() {
        assert_eq!(words("edit-iscsi"), ["edit", "iscsi"]);
        assert_eq!(words("editIscsi_now"), ["edit", "iscsi", "now"]);
    }
}
