//! A small threaded TCP server on a loopback port that can stop listening and start again on the same port.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// What serves one connection, on a thread of its own, until it returns. The number counts connections.
pub(crate) type Serve = Arc<dyn Fn(TcpStream, u64) + Send + Sync>;

pub(crate) struct Server {
    address: SocketAddr,
    serve: Serve,
    /// Bound but never listening: keeps the port ours while nothing listens on it.
    _reserved: socket2::Socket,
    listening: Mutex<Option<Listening>>,
    connections: Arc<Connections>,
}

struct Listening {
    listener: Arc<TcpListener>,
    acceptor: JoinHandle<()>,
}

#[derive(Default)]
struct Connections {
    number: AtomicU64,
    open: Mutex<HashMap<u64, TcpStream>>,
}

impl Server {
    /// Reserves a free loopback port and listens on it.
    pub(crate) fn start(serve: Serve) -> io::Result<Server> {
        Server::start_at(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0), serve)
    }

    /// Reserves this address and listens on it; port 0 is any.
    pub(crate) fn start_at(address: SocketAddrV4, serve: Serve) -> io::Result<Server> {
        let reserved = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        reserved.set_reuse_address(true)?;
        reserved.bind(&address.into())?;
        let address = reserved
            .local_addr()?
            .as_socket()
            .ok_or(io::ErrorKind::AddrNotAvailable)?;
        let server = Server {
            address,
            serve,
            _reserved: reserved,
            listening: Mutex::new(None),
            connections: Arc::default(),
        };
        server.open()?;
        Ok(server)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections have been accepted so far.
    pub(crate) fn accepted(&self) -> u64 {
        self.connections.number.load(Ordering::SeqCst)
    }

    /// Listens (again). Nothing happens if it does already.
    pub(crate) fn open(&self) -> io::Result<()> {
        let mut listening = self.listening.lock().unwrap();
        if listening.is_some() {
            return Ok(());
        }
        let listener = Arc::new(TcpListener::bind(self.address)?);
        let (accepting, serve, connections) = (
            listener.clone(),
            self.serve.clone(),
            self.connections.clone(),
        );
        let acceptor = thread::Builder::new()
            .name("accept".into())
            .spawn(move || {
                while let Ok((stream, _)) = accepting.accept() {
                    connections.serve(stream, &serve);
                }
            })?;
        *listening = Some(Listening { listener, acceptor });
        Ok(())
    }

    /// Stops listening and cuts every connection; from now on a connect is refused.
    pub(crate) fn close(&self) {
        if let Some(Listening { listener, acceptor }) = self.listening.lock().unwrap().take() {
            // SAFETY: shutdown(2) on a descriptor that `listener` keeps open; it wakes the blocked accept.
            unsafe { libc::shutdown(listener.as_raw_fd(), libc::SHUT_RDWR) };
            let _ = acceptor.join();
        }
        self.connections.cut();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.close();
    }
}

impl Connections {
    fn serve(self: &Arc<Self>, stream: TcpStream, serve: &Serve) {
        let _ = stream.set_nodelay(true);
        let number = self.number.fetch_add(1, Ordering::SeqCst);
        let Ok(copy) = stream.try_clone() else { return };
        self.open.lock().unwrap().insert(number, copy);
        let (connections, serve) = (self.clone(), serve.clone());
        let _ = thread::Builder::new()
            .name(format!("connection {number}"))
            .spawn(move || {
                serve(stream, number);
                connections.open.lock().unwrap().remove(&number);
            });
    }

    fn cut(&self) {
        for stream in self.open.lock().unwrap().values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_closed_server_refuses_and_an_opened_one_accepts_on_the_same_port() {
        let server = Server::start(Arc::new(|_, _| ())).unwrap();
        let mut connected = TcpStream::connect(server.address()).unwrap();
        assert_eq!(connected.read(&mut [0]).unwrap_or(0), 0);
        server.close();
        let refused = TcpStream::connect(server.address()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        server.open().unwrap();
        assert!(TcpStream::connect(server.address()).is_ok());
    }
}
