//! The one page shell: layout, stylesheet, assets under content-hashed names, security headers.
//!
//! Every page of the project is made by [`Page::answer`], the only way to an HTML answer, so none
//! can lack the security headers or the layout. A page brings its own askama template as content;
//! [`notice()`] and [`Home`] are the two that have no room of their own.
//!
//! It knows nothing of credentials, tokens or people: what a page says comes from its caller. No
//! page needs a script; the one there is adds comfort.

mod asset;
mod download;
mod headers;
mod home;
mod modules;
mod notice;
mod page;

pub use asset::assets;
pub use download::download;
pub use headers::protected;
pub use home::{Address, Home};
pub use modules::Modules;
pub use notice::{Notice, go, local_notice, not_found, notice, picture};
pub use page::{Frame, Page, Section};
