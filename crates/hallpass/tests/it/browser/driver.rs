//! Debian's chromedriver: one process for all tests that run at the same time, on a port of its own
//! choosing, and the few calls of WebDriver (W3C, sections 8 to 18) that the tests make.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde_json::{Value, json};

use crate::http::execute;
use crate::server::Running;

/// A chromedriver that listens. It ends with the last browser that it drives.
pub(super) struct Driver {
    base: String,
    // Locked so that the value can be shared; nobody asks for it.
    _process: Mutex<Running>,
}

impl Driver {
    /// The one that runs, or a new one.
    pub(super) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Driver>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let driver = Arc::new(Self::start());
            *shared = Arc::downgrade(&driver);
            driver
        })
    }

    fn start() -> Self {
        let mut command = Command::new("chromedriver");
        command
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let process = Running::start(&mut command);
        let line = process.stdout.wait_for("started successfully on port");
        let port: String = line.chars().filter(char::is_ascii_digit).collect();
        Self {
            base: format!("http://127.0.0.1:{port}"),
            _process: Mutex::new(process),
        }
    }

    /// A call that must succeed; its value.
    #[track_caller]
    pub(super) fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        self.try_call(method, path, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// A call; its value, or the error as the driver tells it.
    pub(super) fn try_call(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        let body = if body.is_null() { &json!({}) } else { body };
        let bytes = if method == "POST" {
            body.to_string().into_bytes()
        } else {
            Vec::new()
        };
        let request = ::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("content-type", "application/json")
            .body(bytes)
            .unwrap();
        let answer = execute(request).unwrap();
        let mut said: Value = serde_json::from_slice(answer.body()).unwrap();
        let value = said["value"].take();
        if answer.status().is_success() {
            Ok(value)
        } else {
            Err(value)
        }
    }
}
