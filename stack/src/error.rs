//! What a user call may answer: one small enum per call, each with the errno of an OS.

use core::fmt;

/// The error numbers of POSIX that the calls map to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "POSIX defines each")]
pub enum Errno {
    EBADF,
    EAGAIN,
    EINVAL,
    EPIPE,
    EACCES,
    EPROTO,
    ENOPROTOOPT,
    EADDRINUSE,
    EADDRNOTAVAIL,
    ENETUNREACH,
    ECONNABORTED,
    ECONNRESET,
    EISCONN,
    ENOTCONN,
    ETIMEDOUT,
    ECONNREFUSED,
    EHOSTUNREACH,
    EALREADY,
    EDESTADDRREQ,
    EAFNOSUPPORT,
    ENOBUFS,
}

impl Errno {
    /// The number Linux gives it on most architectures.
    pub const fn number(self) -> i32 {
        match self {
            Self::EBADF => 9,
            Self::EAGAIN => 11,
            Self::EACCES => 13,
            Self::EINVAL => 22,
            Self::EPIPE => 32,
            Self::EPROTO => 71,
            Self::EDESTADDRREQ => 89,
            Self::ENOPROTOOPT => 92,
            Self::EAFNOSUPPORT => 97,
            Self::EADDRINUSE => 98,
            Self::EADDRNOTAVAIL => 99,
            Self::ENOBUFS => 105,
            Self::ENETUNREACH => 101,
            Self::ECONNABORTED => 103,
            Self::ECONNRESET => 104,
            Self::EISCONN => 106,
            Self::ENOTCONN => 107,
            Self::ETIMEDOUT => 110,
            Self::ECONNREFUSED => 111,
            Self::EHOSTUNREACH => 113,
            Self::EALREADY => 114,
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

macro_rules! call_errors {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $errno:ident, $text:literal;)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// The error number an OS would give.
            pub const fn errno(self) -> Errno {
                match self { $(Self::$variant => Errno::$errno,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text,)* })
            }
        }

        impl core::error::Error for $name {}
    )*};
}

call_errors! {
    /// Why `bind` failed.
    BindError {
        /// No such socket.
        BadSocket = EBADF, "no such socket";
        /// The socket is bound, connected or listening already.
        Bound = EINVAL, "the socket is bound already";
        /// The address is not one of this host.
        NotLocal = EADDRNOTAVAIL, "the address is not one of this host";
        /// The port is taken.
        InUse = EADDRINUSE, "address in use";
        /// No ephemeral port is left.
        NoPort = EADDRINUSE, "no free port";
    }
    /// Why `listen` failed.
    ListenError {
        /// No such socket.
        BadSocket = EBADF, "no such socket";
        /// `bind` comes first.
        NotBound = EDESTADDRREQ, "the socket is not bound";
        /// The socket is connected.
        Connected = EINVAL, "the socket is connected";
        /// Another socket listens there.
        InUse = EADDRINUSE, "another socket listens on this address";
    }
    /// Why `accept` returned no connection.
    AcceptError {
        /// No such socket.
        BadSocket = EBADF, "no such socket";
        /// The socket does not listen.
        NotListening = EINVAL, "the socket does not listen";
        /// None is waiting.
        WouldBlock = EAGAIN, "no connection is waiting";
    }
    /// Why `connect` could not start. What happens later is an event.
    ConnectError {
        /// No such socket.
        BadSocket = EBADF, "no such socket";
        /// The socket listens.
        Listening = EINVAL, "the socket listens";
        /// The socket is connected.
        Connected = EISCONN, "the socket is connected already";
        /// A connect is under way.
        InProgress = EALREADY, "a connect is under way already";
        /// Broadcast, multicast, unspecified, or port 0 (MUST-46).
        BadRemote = ENETUNREACH, "no connection can go to this address";
        /// This host has no address of that family.
        NoLocalAddress = EADDRNOTAVAIL, "no local address of this family";
        /// The bound address is of the other family.
        FamilyMismatch = EAFNOSUPPORT, "the bound address is of another family";
        /// A connection between these two addresses exists, perhaps in TIME-WAIT.
        InUse = EADDRINUSE, "a connection between these addresses exists";
        /// Every ephemeral port is taken for this remote address.
        NoPort = EADDRNOTAVAIL, "no free port";
        /// The stack keeps quiet after its boot: try again at
        /// [`Stack::quiet_until`](crate::Stack::quiet_until) (RFC 9293 §3.4.3).
        QuietTime = EAGAIN, "the host keeps quiet after its boot";
        /// All buffers together hold as much as they may (`Config::memory_max`).
        NoMemory = ENOBUFS, "no memory for another connection";
    }
    /// Why `send` took nothing.
    SendError {
        /// No such socket.
        BadSocket = EBADF, "no such socket";
        /// Never connected, or only listening.
        NotConnected = ENOTCONN, "not connected";
        /// The send buffer is full.
        WouldBlock = EAGAIN, "the send buffer is full";
        /// The user has shut this direction.
        Shutdown = EPIPE, "the sending side is shut";
        /// The connection has ended.
        Closed = EPIPE, "the connection is closed";
        /// The peer refused the connection.
        Refused = ECONNREFUSED, "connection refused";
        /// The peer reset the connection.
        Reset = ECONNRESET, "connection reset";
        /// The peer's host or a router prohibits the connection.
        Prohibited = EACCES, "communication is prohibited";
        /// The peer's host speaks no TCP.
        NoProtocol = ENOPROTOOPT, "protocol unreachable";
        /// Nobody answered for too long.
        TimedOut = ETIMEDOUT, "connection timed out";
    }
    /// Why `recv` returned nothing; end of file is `Ok(0)`.
    RecvError {
        /// No such socket.
        BadSocket = EBADF, "no such socket";
        /// Never connected, or only listening.
        NotConnected = ENOTCONN, "not connected";
        /// Nothing has arrived yet.
        WouldBlock = EAGAIN, "nothing to receive yet";
        /// The peer refused the connection.
        Refused = ECONNREFUSED, "connection refused";
        /// The peer reset the connection (MUST-12: not an end of file).
        Reset = ECONNRESET, "connection reset";
        /// The peer's host or a router prohibits the connection.
        Prohibited = EACCES, "communication is prohibited";
        /// The peer's host speaks no TCP.
        NoProtocol = ENOPROTOOPT, "protocol unreachable";
        /// Nobody answered for too long.
        TimedOut = ETIMEDOUT, "connection timed out";
    }
    /// Why `shutdown` failed.
    ShutdownError {
        /// No such socket.
        BadSocket = EBADF, "no such socket";
        /// Not connected.
        NotConnected = ENOTCONN, "not connected";
    }
    /// Why `close`, `abort`, `status` or an option call failed.
    SocketError {
        /// No such socket.
        BadSocket = EBADF, "no such socket";
    }
}
