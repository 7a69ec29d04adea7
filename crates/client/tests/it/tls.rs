//! A certificate authority, servers that speak TLS in front of the world's, and a proxy, each on a free
//! port of this machine.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// The name in the server's certificate that no resolver knows.
pub(crate) const HOST: &str = "api.hallpass.test";

/// A private certificate authority, with its files in a folder.
pub(crate) struct Authority {
    folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let authority = Self { folder, issuer };
        write(&authority.file(), "CERTIFICATE", authority.issuer.der());
        authority
    }

    /// The PEM file of its certificate.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The PEM files of a certificate for a client, and of its key.
    pub(crate) fn client_files(&self) -> (PathBuf, PathBuf) {
        let (certificate, key) = self.issue(ExtendedKeyUsagePurpose::ClientAuth);
        let files = (
            self.folder.path().join("own.pem"),
            self.folder.path().join("own.key"),
        );
        write(&files.0, "CERTIFICATE", &certificate);
        write(&files.1, "PRIVATE KEY", key.secret_der());
        files
    }

    /// Starts a server with a certificate for localhost and [`HOST`], which hands what it decrypts to
    /// the server at `behind`. Returns its port.
    pub(crate) async fn serve(&self, behind: &str, wants_certificate: bool) -> u16 {
        let (certificate, key) = self.issue(ExtendedKeyUsagePurpose::ServerAuth);
        let provider = Arc::new(default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone());
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = if wants_certificate {
            let mut roots = RootCertStore::empty();
            roots.add(self.issuer.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            config.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            config.with_no_client_auth()
        };
        let config = config.with_single_cert(vec![certificate], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let behind = behind.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (acceptor, behind) = (acceptor.clone(), behind.clone());
                tokio::spawn(async move {
                    // Clients that do not trust us, or that we do not, go away here.
                    let Ok(mut connection) = acceptor.accept(connection).await else {
                        return;
                    };
                    let mut plain = TcpStream::connect(behind).await.unwrap();
                    let _ = copy_bidirectional(&mut connection, &mut plain).await;
                });
            }
        });
        port
    }

    fn issue(
        &self,
        usage: ExtendedKeyUsagePurpose,
    ) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let names = vec!["localhost".to_owned(), HOST.to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        (certificate.der().clone(), key)
    }
}

fn write(file: &Path, label: &str, der: &[u8]) {
    let body = STANDARD.encode(der);
    let pem = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
    std::fs::write(file, pem).unwrap();
}

/// A proxy that makes tunnels to this machine, whatever the name, for whoever logs in as it wants.
pub(crate) struct Proxy {
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub(crate) async fn start(login: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let told = asked.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(tunnel(connection, login, told.clone()));
            }
        });
        Self { address, asked }
    }

    /// The hosts and ports that tunnels were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn tunnel(mut near: TcpStream, login: Option<&str>, told: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(near.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let mut line = head.split(' ');
    assert_eq!(line.next(), Some("CONNECT"), "nothing passes in the open");
    let target = line.next().unwrap().to_owned();
    told.lock().unwrap().push(target.clone());
    let wanted = login.map(|login| format!("basic {}", STANDARD.encode(login)));
    let given = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let ours = name.eq_ignore_ascii_case("proxy-authorization");
        let (scheme, rest) = value.split_once(' ')?;
        ours.then(|| format!("{} {rest}", scheme.to_ascii_lowercase()))
    });
    if wanted.is_some() && wanted != given {
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
        near.write_all(refusal).await.unwrap();
        return;
    }
    let port: u16 = target.rsplit_once(':').unwrap().1.parse().unwrap();
    let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    let _ = copy_bidirectional(&mut near, &mut far).await;
}
