//! A network and a hosts file of a test's own: the test runs itself again in namespaces where every port of every loopback
//! address is free, and where `/etc/hosts` and `/etc/resolv.conf` say what it wants. An ordinary user may do that, too, where
//! the system lets him have user namespaces.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::unix::fs::MetadataExt;
use std::process::{Command, id};
use std::thread;

/// Set in the test that runs inside.
const INSIDE: &str = "KINGLET_TEST_IS_INSIDE";
const NEEDED: &str = "this test needs namespaces of its own: root, or an ordinary user who may have user namespaces \
    (sysctl user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns=0), and `unshare` and `mount` of util-linux \
    and `ip` of iproute2";

/// Runs the test of this name in a network of its own. Its body is `inside`.
pub fn in_private_network(test: &str, inside: impl FnOnce()) {
    if env::var_os(INSIDE).is_some_and(|name| name == OsStr::new(test)) {
        run(Command::new("ip").args(["link", "set", "lo", "up"]));
        return inside();
    }
    let this = env::current_exe().expect("a test is a program");
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let as_root: &[&str] = if is_root {
        &[]
    } else {
        &["--user", "--map-root-user"]
    };
    let output = Command::new("unshare")
        .args(as_root)
        .args(["--mount", "--net", "--"])
        .arg(this)
        .args([test, "--exact", "--nocapture"])
        .env(INSIDE, test)
        .output()
        .unwrap_or_else(|error| panic!("unshare: {error}; {NEEDED}"));
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(
        output.status.success() && stdout.contains("1 passed"),
        "{}\n{stdout}\n{stderr}\n{}",
        output.status,
        if stderr.contains("unshare") {
            NEEDED
        } else {
            ""
        }
    );
}

/// Lays a text over a file, for this test alone.
pub fn cover(path: &str, text: &str) {
    let name = format!("{}-{}", path.replace('/', "-"), id());
    let ours = env::temp_dir().join(name);
    fs::write(&ours, text).expect("a temporary file");
    run(Command::new("mount").arg("--bind").arg(&ours).arg(path));
    fs::remove_file(&ours).expect("it is mounted");
}

fn run(command: &mut Command) {
    let status = command.status();
    assert!(
        status.as_ref().is_ok_and(|status| status.success()),
        "{command:?}: {status:?}; {NEEDED}"
    );
}

/// A question to a name server, for the addresses of one name.
pub struct Question(Vec<u8>);

/// Sends a datagram back.
pub type Reply<'a> = &'a dyn Fn(&[u8]);

impl Question {
    /// The name asked for, and the record type: 1 for IPv4, 28 for IPv6.
    pub fn name(&self) -> (String, u8) {
        let (mut name, mut rest) = (Vec::new(), &self.0[12..]);
        while let [length @ 1..=63, behind @ ..] = rest {
            let (label, behind) = behind.split_at(usize::from(*length));
            name.push(String::from_utf8_lossy(label).into_owned());
            rest = behind;
        }
        (name.join("."), rest[2])
    }

    /// An answer with this address, which may be kept for a second.
    pub fn address(&self, ip: Ipv4Addr) -> Vec<u8> {
        let record = b"\xc0\x0c\0\x01\0\x01\0\0\0\x01\0\x04";
        [&self.head(0, 1), &self.0[12..], record, &ip.octets()].concat()
    }

    /// There is no such name.
    pub fn unknown(&self) -> Vec<u8> {
        [&self.head(3, 0), &self.0[12..]].concat()
    }

    fn head(&self, code: u8, answers: u8) -> [u8; 12] {
        let [high, low] = [self.0[0], self.0[1]];
        [high, low, 0x81, 0x80 | code, 0, 1, 0, answers, 0, 0, 0, 0]
    }
}

/// Answers DNS questions here as long as the test runs.
pub fn serve_dns(address: Ipv4Addr, answer: impl Fn(&Question, Reply) + Send + 'static) {
    let socket = UdpSocket::bind((address, 53)).expect("every port is free");
    thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((count, asker)) = socket.recv_from(&mut buffer) {
            let reply = |datagram: &[u8]| drop(socket.send_to(datagram, asker));
            answer(&Question(buffer[..count].to_vec()), &reply);
        }
    });
}
