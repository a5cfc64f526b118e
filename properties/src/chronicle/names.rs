//! Numbers for incarnations and 4-tuples, in the order in which they were first seen.

use core::net::SocketAddr;
use std::collections::BTreeMap;

use timewait_stack::Vars;

use super::model::{self, Tick};
use crate::label::{self, flow_of};

#[derive(Debug, Default)]
pub(super) struct Names {
    all: Vec<model::Incarnation>,
    numbers: BTreeMap<label::Incarnation, u32>,
    flows: BTreeMap<u64, u32>,
    /// How many incarnations a node has opened on a 4-tuple.
    opened: BTreeMap<(u32, u32), u32>,
}

impl Names {
    pub(super) fn all(&self) -> &[model::Incarnation] {
        &self.all
    }

    /// The number of an incarnation, which begins now if nobody has heard of it.
    pub(super) fn number(&mut self, of: label::Incarnation, now: Tick) -> u32 {
        let next = self.all.len() as u32;
        let number = *self.numbers.entry(of).or_insert(next);
        if number == next {
            self.all.push(model::Incarnation {
                name: of.to_string(),
                node: of.host.0,
                local: None,
                remote: None,
                flow: None,
                generation: 0,
                opened: now,
                iss: None,
                irs: None,
            });
        }
        number
    }

    /// A host opens it.
    pub(super) fn opened(
        &mut self,
        of: label::Incarnation,
        local: SocketAddr,
        remote: Option<SocketAddr>,
        now: Tick,
    ) {
        let number = self.number(of, now) as usize;
        let flow = remote.map(|remote| {
            let next = self.flows.len() as u32;
            *self.flows.entry(flow_of(local, remote)).or_insert(next)
        });
        let its = &mut self.all[number];
        its.local = Some(local.to_string());
        its.remote = remote.map(|remote| remote.to_string());
        its.flow = flow;
        if let Some(flow) = flow {
            let before = self.opened.entry((its.node, flow)).or_default();
            its.generation = *before;
            *before += 1;
        }
    }

    /// Its variables were shown.
    pub(super) fn shown(&mut self, number: u32, vars: &Vars) {
        let its = &mut self.all[number as usize];
        its.iss = Some(vars.iss.0);
        // Before the peer's SYN there is no sequence number to count from.
        let heard = vars.irs != vars.rcv_nxt;
        its.irs = heard.then_some(vars.irs.0).or(its.irs);
    }
}
