//! What must not be found, and where it is.

/// What must not be found, by a name that may be.
#[derive(Default)]
pub(super) struct Planted(Vec<(&'static str, Vec<u8>)>);

impl Planted {
    pub(super) fn plant(&mut self, name: &'static str, secret: impl AsRef<[u8]>) {
        let secret = secret.as_ref();
        assert!(secret.len() >= 12, "{name} is too short to be looked for");
        self.0.push((name, secret.to_owned()));
    }

    /// A signed token or assertion: a part that makes it good is as bad as the whole.
    pub(super) fn plant_signed(&mut self, name: &'static str, compact: &str) {
        let (_, signature) = compact.rsplit_once('.').unwrap();
        self.plant(name, signature);
    }

    /// The secrets that occur in a text.
    pub(super) fn found_in(&self, bytes: &[u8]) -> Vec<&'static str> {
        let holds = |secret: &[u8]| {
            let mut windows = bytes.windows(secret.len());
            windows.any(|window| window == secret)
        };
        let found = self.0.iter().filter(|(_, secret)| holds(secret));
        found.map(|(name, _)| *name).collect()
    }
}
