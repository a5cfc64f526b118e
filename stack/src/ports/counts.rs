//! How many connections have each local port.
//!
//! A client may use every port there is. So a count is four octets and nothing else, in pages of
//! which only those exist that are needed; all together are a quarter of a megaoctet.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// The ports that have their upper octet in common.
type Page = [u32; 256];

/// Connections and TIME-WAIT records of each port.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pages: Vec<Option<Box<Page>>>,
    /// Ports that have any.
    ports: u32,
}

impl Counts {
    /// Ports with a connection.
    pub(super) fn ports(&self) -> u32 {
        self.ports
    }

    /// Whether a connection has the port.
    pub(super) fn has(&self, port: u16) -> bool {
        let [page, at] = port.to_be_bytes().map(usize::from);
        let page = self.pages.get(page).and_then(Option::as_deref);
        page.is_some_and(|page| page[at] > 0)
    }

    pub(super) fn add(&mut self, port: u16) {
        let [page, at] = port.to_be_bytes().map(usize::from);
        if self.pages.len() <= page {
            self.pages.resize(page + 1, None);
        }
        let page = self.pages[page].get_or_insert_with(|| Box::new([0; 256]));
        self.ports += u32::from(page[at] == 0);
        page[at] += 1;
    }

    pub(super) fn remove(&mut self, port: u16) {
        let [page, at] = port.to_be_bytes().map(usize::from);
        if let Some(Some(page)) = self.pages.get_mut(page) {
            page[at] -= 1;
            self.ports -= u32::from(page[at] == 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn ports_are_counted_apart() {
        let mut counts = Counts::default();
        for port in [0, 80, 80, 65_535] {
            counts.add(port);
        }
        counts.remove(80);
        assert!(counts.has(80) && counts.has(0) && counts.has(65_535));
        counts.remove(80);
        assert!(!counts.has(80) && !counts.has(81) && !counts.has(40_000));
        assert_eq!(counts.ports(), 2);
    }
}
