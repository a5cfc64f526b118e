//! Which way to go: shortest paths by hops, through routers only, unless a router has a route entered
//! ([`prefix`]).
//!
//! A machine with one link needs no table. For the others, one column per destination is computed
//! when it is first asked for, so that a big network in small pieces costs little.

pub(crate) mod prefix;

use std::collections::VecDeque;

use crate::fates::HopId;
use crate::link::Hop;
use crate::packet::NodeId;

/// The next-hop table of a network. Of several shortest ways the one over the link added first
/// is taken.
#[derive(Default)]
pub(crate) struct Routes {
    /// The hops that leave each machine, in the order of their links.
    leaving: Vec<Vec<HopId>>,
    router: Vec<bool>,
    /// For each machine with several links, its row in the columns.
    rows: Vec<Option<u32>>,
    /// How many machines have several links.
    row_count: u32,
    /// For each destination, if asked for before: the next hop by row.
    columns: Vec<Option<Box<[Option<HopId>]>>>,
    /// Whether any column has been computed.
    computed: bool,
}

impl Routes {
    /// Takes note of a machine.
    pub(crate) fn add(&mut self, router: bool) {
        self.leaving.push(Vec::new());
        self.router.push(router);
        self.rows.push(None);
        self.columns.push(None);
    }

    /// Takes note of a hop that leaves `from`. What was computed before no longer counts.
    pub(crate) fn connect(&mut self, from: NodeId, hop: HopId) {
        let from = from.0 as usize;
        self.leaving[from].push(hop);
        if self.leaving[from].len() == 2 {
            self.rows[from] = Some(self.row_count);
            self.row_count += 1;
        }
        if core::mem::take(&mut self.computed) {
            self.columns.fill(None);
        }
    }

    pub(crate) fn is_router(&self, node: NodeId) -> bool {
        self.router[node.0 as usize]
    }

    /// The hop over which `from` reaches another machine, if there is a way.
    pub(crate) fn next(&mut self, hops: &[Hop], from: NodeId, to: NodeId) -> Option<HopId> {
        let Some(row) = self.rows[from.0 as usize] else {
            // One link: it leads there or to a router, or there is no way.
            let hop = *self.leaving[from.0 as usize].first()?;
            let end = hops[hop.0 as usize].to;
            return (end == to || self.is_router(end)).then_some(hop);
        };
        if self.columns[to.0 as usize].is_none() {
            self.columns[to.0 as usize] = Some(self.column(hops, to));
            self.computed = true;
        }
        self.columns[to.0 as usize].as_ref()?[row as usize]
    }

    /// Where `from` sends what it knows no owner of: to its first link's router, if it has one.
    pub(crate) fn fallback(&self, hops: &[Hop], from: NodeId) -> Option<HopId> {
        let hop = *self.leaving[from.0 as usize].first()?;
        self.is_router(hops[hop.0 as usize].to).then_some(hop)
    }

    /// The way to `to` from every machine with several links: breadth first, backwards from
    /// there. Both directions of a link exist, so leaving hops show who is next to whom.
    fn column(&self, hops: &[Hop], to: NodeId) -> Box<[Option<HopId>]> {
        let rows = self.row_count as usize;
        let mut column = vec![None; rows].into_boxed_slice();
        let mut distances = vec![u32::MAX; rows];
        let mut reached = VecDeque::from([(to, 0)]);
        while let Some((node, distance)) = reached.pop_front() {
            for away in &self.leaving[node.0 as usize] {
                let neighbour = hops[away.0 as usize].to;
                let Some(row) = self.rows[neighbour.0 as usize] else {
                    continue;
                };
                if neighbour == to {
                    continue;
                }
                // The other direction of the same link.
                let back = HopId(away.0 ^ 1);
                let row = row as usize;
                if distances[row] == u32::MAX {
                    distances[row] = distance + 1;
                    column[row] = Some(back);
                    if self.is_router(neighbour) {
                        reached.push_back((neighbour, distance + 1));
                    }
                } else if distances[row] == distance + 1 {
                    column[row] = column[row].min(Some(back));
                }
            }
        }
        column
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::Routes;
    use crate::fates::HopId;
    use crate::link::{Hop, LinkConfig};
    use crate::packet::NodeId;

    struct Net {
        routes: Routes,
        hops: Vec<Hop>,
    }

    /// Machines, `true` for routers, and the links between them.
    fn net(routers: &[bool], links: &[(u32, u32)]) -> Net {
        let mut net = Net {
            routes: Routes::default(),
            hops: Vec::new(),
        };
        routers.iter().for_each(|router| net.routes.add(*router));
        for (a, b) in links {
            for (from, to) in [(*a, *b), (*b, *a)] {
                let hop = HopId(net.hops.len() as u32);
                let config = LinkConfig::with_delay(Duration::ZERO);
                net.hops
                    .push(Hop::new(NodeId(from), NodeId(to), false, config));
                net.routes.connect(NodeId(from), hop);
            }
        }
        net
    }

    impl Net {
        /// The machines on the way.
        fn way(&mut self, from: u32, to: u32) -> Option<Vec<u32>> {
            let mut way = vec![from];
            while way.last() != Some(&to) {
                let at = NodeId(*way.last()?);
                let hop = self.routes.next(&self.hops, at, NodeId(to))?;
                way.push(self.hops[hop.0 as usize].to.0);
            }
            Some(way)
        }
    }

    #[test]
    fn the_way_is_the_shortest_through_routers() {
        // 0 - 1 - 2 - 3 - 4 with a shortcut 1 - 3.
        let routers = [false, true, true, true, false];
        let mut net = net(&routers, &[(0, 1), (1, 2), (2, 3), (3, 4), (1, 3)]);
        assert_eq!(net.way(0, 4), Some(vec![0, 1, 3, 4]));
        assert_eq!(net.way(4, 0), Some(vec![4, 3, 1, 0]));
    }

    #[test]
    fn among_equal_ways_the_first_link_wins() {
        let routers = [false, true, true, true, true, false];
        let links = [(0, 1), (1, 3), (1, 2), (2, 4), (3, 4), (4, 5)];
        let mut net = net(&routers, &links);
        assert_eq!(net.way(0, 5), Some(vec![0, 1, 3, 4, 5]));
        assert_eq!(net.way(5, 0), Some(vec![5, 4, 2, 1, 0]));
    }

    #[test]
    fn hosts_forward_nothing() {
        let mut net = net(&[false, false, false, true], &[(0, 1), (1, 2)]);
        assert_eq!(net.way(0, 1), Some(vec![0, 1]));
        assert_eq!(net.way(0, 2), None);
        assert_eq!(net.way(1, 3), None);
    }

    #[test]
    fn a_host_with_two_links_takes_the_right_one() {
        let routers = [false, false, true, false];
        let mut net = net(&routers, &[(0, 1), (0, 2), (2, 3)]);
        assert_eq!(net.way(0, 1), Some(vec![0, 1]));
        assert_eq!(net.way(0, 3), Some(vec![0, 2, 3]));
        assert_eq!(net.way(1, 3), None, "0 is a host");
    }
}
