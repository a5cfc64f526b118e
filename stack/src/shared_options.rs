//! Settings that many sockets have in common, kept once.
//!
//! A socket starts with those of the stack or of its listener, and most that are changed are changed
//! in the same way. So the last few different ones are remembered, and who has one of them shares it.

use alloc::collections::VecDeque;
use alloc::sync::Arc;

use crate::config::Config;
use crate::socket_options::SocketOptions;

/// So many different settings are remembered.
const REMEMBERED: usize = 8;

/// The settings that were in use lately.
#[derive(Debug)]
pub(crate) struct SharedOptions {
    defaults: Arc<SocketOptions>,
    /// The latest last.
    latest: VecDeque<Arc<SocketOptions>>,
}

impl SharedOptions {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            defaults: Arc::new(SocketOptions::defaults(config)),
            latest: VecDeque::new(),
        }
    }

    /// Those of a fresh socket.
    pub(crate) fn defaults(&self) -> Arc<SocketOptions> {
        Arc::clone(&self.defaults)
    }

    /// The same settings, shared with others that have them.
    pub(crate) fn share(&mut self, options: SocketOptions) -> Arc<SocketOptions> {
        if *self.defaults == options {
            return self.defaults();
        }
        if let Some(known) = self.latest.iter().find(|known| ***known == options) {
            return Arc::clone(known);
        }
        if self.latest.len() == REMEMBERED {
            self.latest.pop_front();
        }
        let shared = Arc::new(options);
        self.latest.push_back(Arc::clone(&shared));
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::{REMEMBERED, SharedOptions};
    use crate::config::Config;
    use crate::socket_options::{SocketOption, SocketOptions};
    use alloc::sync::Arc;
    use alloc::vec;

    fn with_hop_limit(hop_limit: u8) -> SocketOptions {
        let mut options = SocketOptions::defaults(&Config::new(vec![], [0; 32]));
        options.set(SocketOption::HopLimit(hop_limit));
        options
    }

    #[test]
    fn what_is_the_same_is_kept_once() {
        let mut shared = SharedOptions::new(&Config::new(vec![], [0; 32]));
        let one = shared.share(with_hop_limit(1));
        let two = shared.share(with_hop_limit(2));
        assert!(!Arc::ptr_eq(&one, &two));
        assert_eq!((*one, *two), (with_hop_limit(1), with_hop_limit(2)));
        assert!(Arc::ptr_eq(&one, &shared.share(with_hop_limit(1))));
        let back = shared.share(with_hop_limit(64));
        assert!(Arc::ptr_eq(&back, &shared.defaults()));
    }

    #[test]
    fn only_the_latest_are_remembered() {
        let mut shared = SharedOptions::new(&Config::new(vec![], [0; 32]));
        for hop_limit in 65..=255 {
            shared.share(with_hop_limit(hop_limit));
        }
        assert_eq!(shared.latest.len(), REMEMBERED);
    }
}
