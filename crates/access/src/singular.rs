//! Path segments as the words of permissions: singular, lower-case, with hyphens.
//!
//! A few rules of English, enough for the nouns that API paths are made of. Does not know which
//! segments name a resource, nor which resources go by another name.

/// Nouns that end like a plural and are none, or whose plural the rules get wrong.
const IRREGULAR: [(&str, &str); 15] = [
    ("cpus", "cpu"),
    ("gpus", "gpu"),
    ("mcus", "mcu"),
    ("menus", "menu"),
    ("dns", "dns"),
    ("news", "news"),
    ("sms", "sms"),
    ("qos", "qos"),
    ("https", "https"),
    ("series", "series"),
    ("species", "species"),
    ("movies", "movie"),
    ("cookies", "cookie"),
    ("people", "person"),
    ("children", "child"),
];

/// Endings and what they become; the first that fits counts. Everything else stays as it is.
const ENDINGS: [(&str, &str); 13] = [
    ("ies", "y"),
    ("elves", "elf"),
    ("alves", "alf"),
    ("sses", "ss"),
    ("tuses", "tus"),
    ("iases", "ias"),
    ("xes", "x"),
    ("aches", "ache"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("ss", "ss"),
    ("us", "us"),
    ("is", "is"),
];

/// `hostGroups` and `Host_Groups` are `host-groups`. Characters that are in no word become
/// hyphens, and none of them is first, last or doubled.
pub(crate) fn hyphenated(segment: &str) -> String {
    let mut word = String::with_capacity(segment.len() + 4);
    let mut after_small = false;
    for character in segment.chars() {
        let starts_word = character.is_ascii_uppercase() && after_small;
        if (starts_word || !character.is_ascii_alphanumeric()) && !word.ends_with('-') {
            word.push('-');
        }
        if character.is_ascii_alphanumeric() {
            word.push(character.to_ascii_lowercase());
        }
        after_small = character.is_ascii_lowercase() || character.is_ascii_digit();
    }
    word.trim_matches('-').to_owned()
}

/// The singular of a hyphenated word, whose last part is the noun.
pub(crate) fn singular(word: &str) -> String {
    let (before, noun) = word
        .rsplit_once('-')
        .map_or(("", word), |(before, noun)| (before, noun));
    let one = singular_noun(noun);
    if before.is_empty() {
        one
    } else {
        format!("{before}-{one}")
    }
}

fn singular_noun(noun: &str) -> String {
    if let Some((_, one)) = IRREGULAR.iter().find(|(many, _)| *many == noun) {
        return (*one).to_owned();
    }
    for (many, one) in ENDINGS {
        if let Some(stem) = noun.strip_suffix(many) {
            return format!("{stem}{one}");
        }
    }
    // A lone letter is no noun: `s` in `e-s` stays.
    noun.strip_suffix('s')
        .filter(|stem| stem.len() > 1)
        .unwrap_or(noun)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_become_singular() {
        for (many, one) in [
            ("volumes", "volume"),
            ("host-initiator-groups", "host-initiator-group"),
            ("performance-policies", "performance-policy"),
            ("shelves", "shelf"),
            ("drives", "drive"),
            ("witnesses", "witness"),
            ("addresses", "address"),
            ("licenses", "license"),
            ("node-cpus", "node-cpu"),
            ("node-mcus", "node-mcu"),
            ("batteries", "battery"),
            ("indexes", "index"),
            ("batches", "batch"),
            ("caches", "cache"),
            ("statuses", "status"),
            ("aliases", "alias"),
            ("statistics", "statistic"),
            ("people", "person"),
        ] {
            assert_eq!(singular(many), one);
        }
    }

    #[test]
    fn a_singular_stays() {
        for word in [
            "volume",
            "health-status",
            "quorum-witness",
            "telemetry",
            "analysis",
            "dns",
            "s",
            "qos",
        ] {
            assert_eq!(singular(word), word);
            assert_eq!(singular(&singular(word)), word);
        }
    }

    #[test]
    fn segments_of_every_style_become_hyphenated() {
        for (segment, word) in [
            ("storage-systems", "storage-systems"),
            ("storageSystems", "storage-systems"),
            ("Storage_Systems", "storage-systems"),
            ("HTTPServers", "httpservers"),
            ("v1Hosts", "v1-hosts"),
            ("users.json", "users-json"),
            ("--a__b--", "a-b"),
            ("é", ""),
        ] {
            assert_eq!(hyphenated(segment), word, "{segment}");
        }
    }
}
