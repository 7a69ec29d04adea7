//! The one page shell: layout, stylesheet, hashed assets, security headers.
