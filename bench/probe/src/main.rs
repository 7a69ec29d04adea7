//! What the machine can do without any server around it: the numbers that `bench/run` divides by.
//!
//! `hallpass-bench signatures` signs with the cryptographic library of the product, in one thread,
//! and counts per second of that thread's CPU time, so that other work on the machine changes the
//! result little. `hallpass-bench fsync DIR` appends a page to a file in DIR and waits for the disk,
//! as the store does once per group of tokens. Both print one JSON object. It knows nothing of the
//! product.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

/// As long as the header and payload of a token.
const MESSAGE: [u8; 600] = [b'a'; 600];

/// Rounds per algorithm; the median counts.
const ROUNDS: usize = 5;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["signatures", milliseconds] => match milliseconds.parse() {
            Ok(milliseconds) => signatures(Duration::from_millis(milliseconds)),
            Err(error) => Err(format!(
                "{milliseconds} is no number of milliseconds: {error}"
            )),
        },
        ["fsync", directory] => fsync(Path::new(directory))
            .map_err(|error| format!("{directory} cannot be written to: {error}")),
        _ => Err("usage: hallpass-bench signatures MILLISECONDS | fsync DIR".to_owned()),
    };
    let printed = match &outcome {
        Ok(result) => writeln!(io::stdout(), "{result}"),
        Err(error) => writeln!(io::stderr(), "error: {error}"),
    };
    if outcome.is_ok() && printed.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Signatures per second of CPU time, with keys parsed once.
fn signatures(round: Duration) -> Result<Value, String> {
    measure_signatures(round).map_err(|Unspecified| "the cryptographic library failed".to_owned())
}

fn measure_signatures(round: Duration) -> Result<Value, Unspecified> {
    let random = SystemRandom::new();
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let mut signature = vec![0; rsa.public_modulus_len()];
    let rsa_rate = rate(round, || {
        rsa.sign(&RSA_PKCS1_SHA256, &random, &MESSAGE, &mut signature)
    })?;
    let ecdsa = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let ecdsa_rate = rate(round, || ecdsa.sign(&random, &MESSAGE).map(drop))?;
    Ok(json!({ "rsa-2048": rsa_rate, "ec-p256": ecdsa_rate }))
}

/// How often `work` can be done in a second of CPU time: the median of the rounds.
fn rate(
    round: Duration,
    mut work: impl FnMut() -> Result<(), Unspecified>,
) -> Result<f64, Unspecified> {
    let mut rates = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let (began, mut count) = (thread_time(), 0u32);
        let spent = loop {
            work()?;
            count += 1;
            let spent = thread_time().saturating_sub(began);
            if spent >= round {
                break spent;
            }
        };
        rates.push(f64::from(count) / spent.as_secs_f64());
    }
    Ok(median(&mut rates))
}

/// CPU time that this thread has used.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// How many waits for the disk are measured.
const FLUSHES: usize = 200;

/// Milliseconds until appended bytes are on disk.
fn fsync(directory: &Path) -> io::Result<Value> {
    let path = directory.join("fsync-probe");
    let times = flush_often(&path);
    std::fs::remove_file(&path)?;
    let mut times = times?;
    let median = median(&mut times);
    Ok(json!({ "median_ms": median, "p99_ms": times[times.len() * 99 / 100] }))
}

fn flush_often(path: &Path) -> io::Result<Vec<f64>> {
    let mut file = File::create(path)?;
    let mut times = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        file.write_all(&[0; 4096])?;
        let began = Instant::now();
        file.sync_data()?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(times)
}

/// The value in the middle; sorts the others around it.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
