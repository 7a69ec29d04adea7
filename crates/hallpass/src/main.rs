//! Both ends of machine-to-machine API access with OAuth 2.0 client credentials
fn main() {}
