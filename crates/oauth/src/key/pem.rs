//! The text form in which private keys come from other programs (RFC 7468, RFC 1421).
//!
//! Whoever imports a key often has the wrong file in hand: each of them gets its own words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::KeyError;

/// Longest text read, in bytes. A key of 4096 bits takes 3.3 kB, and openssl may print as much in
/// words before it.
const LONGEST: usize = 64 * 1024;

/// How the DER inside a block is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Pkcs8,
    Pkcs1,
    Sec1,
}

/// Takes the one private key out of the text.
pub(super) fn private_key(text: &str) -> Result<(Form, Zeroizing<Vec<u8>>), KeyError> {
    if text.len() > LONGEST {
        return Err(KeyError::Pem("it is longer than 64 KiB"));
    }
    let label = only_label(text)?;
    let form = form(label)?;
    Ok((form, decode(body(text, label)?)?))
}

fn only_label(text: &str) -> Result<&str, KeyError> {
    // `openssl ecparam -genkey` writes the curve before the key, which names it once more.
    let mut labels = text
        .lines()
        .filter_map(label_of)
        .filter(|&label| label != "EC PARAMETERS");
    let label = labels.next().ok_or(KeyError::Pem(
        "it has no `-----BEGIN PRIVATE KEY-----` line; \
         `openssl pkey -inform DER -in FILE -out key.pem` writes one from DER",
    ))?;
    match labels.next() {
        None => Ok(label),
        Some(_) => Err(KeyError::Pem(
            "it has several blocks; give the file of one private key alone, \
             as `openssl pkey -in FILE -out key.pem` writes it",
        )),
    }
}

fn label_of(line: &str) -> Option<&str> {
    line.trim_end()
        .strip_prefix("-----BEGIN ")?
        .strip_suffix("-----")
}

fn form(label: &str) -> Result<Form, KeyError> {
    let (found, advice) = match label {
        "PRIVATE KEY" => return Ok(Form::Pkcs8),
        "RSA PRIVATE KEY" => return Ok(Form::Pkcs1),
        "EC PRIVATE KEY" => return Ok(Form::Sec1),
        "ENCRYPTED PRIVATE KEY" => ENCRYPTED,
        "OPENSSH PRIVATE KEY" => (
            "a key in the form of OpenSSH",
            "convert a copy of it with `ssh-keygen -p -m PKCS8 -f COPY`",
        ),
        "DSA PRIVATE KEY" => ("a DSA key", "make an RSA, P-256 or Ed25519 key"),
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => (
            "a certificate",
            "give the private key that belongs to it; it is a file of its own",
        ),
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => (
            "a certificate request",
            "give the private key that it was made with",
        ),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => (
            "a public key",
            "give the private key that belongs to it; it is a file of its own",
        ),
        _ => (
            "a PEM block of another kind",
            "`openssl pkey -in FILE -out key.pem` writes a private key in PKCS#8",
        ),
    };
    Err(KeyError::Foreign { found, advice })
}

const ENCRYPTED: (&str, &str) = (
    "an encrypted private key",
    "decrypt it with `openssl pkey -in FILE -out key.pem`; it is encrypted again when it is stored",
);

/// The lines between `BEGIN` and `END`.
fn body<'a>(text: &'a str, label: &str) -> Result<impl Iterator<Item = &'a str> + Clone, KeyError> {
    let lines = text
        .lines()
        .map(str::trim)
        .skip_while(move |line| label_of(line) != Some(label))
        .skip(1);
    let end = format!("-----END {label}-----");
    let length = lines
        .clone()
        .position(|line| line == end)
        .ok_or(KeyError::Pem("its END line is missing"))?;
    let lines = lines.take(length);
    // RFC 1421 section 4.6: how openssl encrypted keys before there was PKCS#8.
    if lines
        .clone()
        .any(|line| line.starts_with("Proc-Type:") && line.contains("ENCRYPTED"))
    {
        let (found, advice) = ENCRYPTED;
        return Err(KeyError::Foreign { found, advice });
    }
    Ok(lines)
}

/// Both buffers get their full size first, so that no half of a key is left behind by growing.
fn decode<'a>(
    lines: impl Iterator<Item = &'a str> + Clone,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let length = lines.clone().map(str::len).sum();
    let mut base64 = Zeroizing::new(String::with_capacity(length));
    lines.for_each(|line| base64.push_str(line));
    let mut der = Zeroizing::new(vec![0; base64::decoded_len_estimate(length)]);
    let length = STANDARD
        .decode_slice(base64.as_bytes(), &mut der)
        .map_err(|_| KeyError::Pem("what stands between BEGIN and END is no base64"))?;
    der.truncate(length);
    Ok(der)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::key::{KeySpec, SigningKey};

    /// A block as openssl writes it.
    pub(in crate::key) fn block(label: &str, der: &[u8]) -> String {
        let base64 = STANDARD.encode(der);
        let lines: Vec<&str> = base64
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
            lines.join("\n")
        )
    }

    fn ed25519() -> (SigningKey, String) {
        let key = SigningKey::generate(KeySpec::Ed25519).unwrap();
        let pem = block("PRIVATE KEY", &key.to_pkcs8().unwrap());
        (key, pem)
    }

    fn refusal(text: &str) -> String {
        SigningKey::from_pem(text).unwrap_err().to_string()
    }

    #[test]
    fn words_around_the_block_other_line_ends_and_curve_parameters_do_no_harm() {
        let (key, pem) = ed25519();
        let parameters = block("EC PARAMETERS", &[6, 0]);
        for text in [
            format!("Bag Attributes\n    friendlyName: x\n{pem}\nthe end"),
            pem.replace('\n', "\r\n"),
            format!("{parameters}{pem}"),
        ] {
            assert_eq!(SigningKey::from_pem(&text).unwrap().id(), key.id());
        }
    }

    #[test]
    fn a_wrong_file_is_called_what_it_is_and_the_way_out_is_named() {
        let (_, pem) = ed25519();
        for (label, found, way_out) in [
            ("ENCRYPTED PRIVATE KEY", "encrypted", "openssl pkey -in"),
            ("OPENSSH PRIVATE KEY", "OpenSSH", "ssh-keygen"),
            ("DSA PRIVATE KEY", "DSA", "Ed25519"),
            ("CERTIFICATE", "a certificate", "private key"),
            ("CERTIFICATE REQUEST", "request", "private key"),
            ("PUBLIC KEY", "a public key", "private key"),
            ("RSA PUBLIC KEY", "a public key", "private key"),
            ("PKCS7", "another kind", "openssl pkey -in"),
        ] {
            let message = refusal(&block(label, b"whatever"));
            assert!(
                message.contains(found) && message.contains(way_out),
                "{label}: {message}"
            );
        }
        let legacy = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
                      DEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        assert!(refusal(legacy).contains("openssl pkey -in"), "RFC 1421");
        assert!(refusal(&format!("{pem}{pem}")).contains("several blocks"));
        assert!(refusal("").contains("BEGIN PRIVATE KEY"));
        assert!(refusal(pem.split("-----END").next().unwrap()).contains("END"));
        assert!(refusal(&pem.replace("-----END", "!\n-----END")).contains("no base64"));
        let long = " ".repeat(LONGEST) + &pem;
        assert!(refusal(&long).contains("64 KiB"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            prop_assert!(SigningKey::from_pem(&text).is_err());
        }

        #[test]
        fn no_block_panics(label in 0..3_usize, der in proptest::collection::vec(any::<u8>(), 0..200)) {
            let label = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"][label];
            prop_assert!(SigningKey::from_pem(&block(label, &der)).is_err());
        }
    }
}
