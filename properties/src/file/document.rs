//! A whole scenario file.

use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

use serde::{Deserialize, Serialize};
use timewait_stack::{Config, Profile};

use super::FORMAT;
use super::error::Wrong;
use super::faults::{Faults, Rule};
use super::names::{Secret, Span};
use super::off::Off;
use super::settings::Settings;
use crate::clock::Clock;
use crate::scenario::{
    AppPlan, AttackerPlan, BoxPlan, Crash, Cut, HostPlan, IcmpPlan, LinkPlan, Pause, RoutePlan,
    Scenario,
};
use crate::scenarios::Kind;

/// A scenario as it stands in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    version: u32,
    kind: Option<String>,
    limit: Option<Span>,
    heal_at: Option<Span>,
    /// Left out: the least MSL of any host.
    lifetime: Option<Off<Span>>,
    #[serde(default)]
    routers: u16,
    icmp: Option<IcmpPlan>,
    #[serde(default)]
    hosts: Vec<HostFile>,
    #[serde(default)]
    links: Vec<LinkPlan>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attackers: Vec<AttackerPlan>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    crashes: Vec<CrashFile>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pauses: Vec<Pause>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    cuts: Vec<Cut>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rules: Vec<Rule>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    routes: Vec<RoutePlan>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    boxes: Vec<BoxPlan>,
    #[serde(default, skip_serializing_if = "is_default")]
    faults: Faults,
}

/// Hosts that nobody gave an address are 10.0.0.1, 10.0.0.2…
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HostFile {
    #[serde(default)]
    profile: Profile,
    addresses: Option<Vec<IpAddr>>,
    secret: Option<Secret>,
    #[serde(default, skip_serializing_if = "is_default")]
    clock: Clock,
    #[serde(default, skip_serializing_if = "is_default")]
    may_be_cut_up: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    settings: Settings,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    apps: Vec<AppPlan>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CrashFile {
    host: u16,
    at: Span,
    off: Span,
    secret: Option<Secret>,
    /// Those that differ from the ones before the crash.
    #[serde(default, skip_serializing_if = "is_default")]
    settings: Settings,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    apps: Vec<AppPlan>,
}

/// When a run is over for which no file says it.
const LIMIT: Duration = Duration::from_secs(3600);
/// When the network heals for which no file says it.
const HEAL_AT: Duration = Duration::from_secs(60);

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Document {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let Scenario {
            kind,
            seed: _,
            hosts,
            routers,
            attackers,
            links,
            icmp,
            lifetime,
            faults,
            crashes,
            pauses,
            cuts,
            rules,
            routes,
            boxes,
            heal_at,
            limit,
        } = scenario;
        Self {
            version: FORMAT,
            kind: Some(kind.name().to_owned()),
            limit: Some(Span(*limit)),
            heal_at: Some(Span(*heal_at)),
            lifetime: Some((*lifetime).into()),
            routers: *routers,
            icmp: *icmp,
            hosts: hosts.iter().map(HostFile::of).collect(),
            links: links.clone(),
            attackers: attackers.clone(),
            crashes: crashes
                .iter()
                .map(|crash| CrashFile::of(crash, hosts))
                .collect(),
            pauses: pauses.clone(),
            cuts: cuts.clone(),
            rules: rules.iter().map(Rule::of).collect(),
            routes: routes.clone(),
            boxes: boxes.clone(),
            faults: Faults::of(faults),
        }
    }

    pub(super) fn scenario(self) -> Result<Scenario, Wrong> {
        if self.version != FORMAT {
            let read = format!(
                "files of version {FORMAT} can be read, this is {}",
                self.version
            );
            return Err(Wrong::new("version", read));
        }
        let kind = match self.kind {
            None => Kind::Swarm,
            Some(name) => Kind::from_name(&name)
                .ok_or_else(|| Wrong::new("kind", format!("`{name}` is no kind of scenario")))?,
        };
        let hosts: Vec<HostPlan> = (0..).zip(self.hosts).map(HostFile::plan).collect();
        let crashes = (0..).zip(self.crashes);
        let crashes = crashes
            .map(|(nth, crash)| crash.plan(nth, &hosts))
            .collect::<Result<_, _>>()?;
        let least_msl = hosts.iter().map(|host| host.config.msl).min();
        Ok(Scenario {
            kind,
            seed: None,
            routers: self.routers,
            attackers: self.attackers,
            links: self.links,
            icmp: self.icmp,
            lifetime: self.lifetime.map_or(least_msl, Off::into_option),
            faults: self.faults.plan()?,
            crashes,
            pauses: self.pauses,
            cuts: self.cuts,
            rules: self.rules.into_iter().map(Rule::plan).collect(),
            routes: self.routes,
            boxes: self.boxes,
            heal_at: self.heal_at.map_or(HEAL_AT, |at| at.0),
            limit: self.limit.map_or(LIMIT, |limit| limit.0),
            hosts,
        })
    }
}

impl HostFile {
    fn of(plan: &HostPlan) -> Self {
        let profile = plan.profile().unwrap_or_default();
        let config = &plan.config;
        let base = profile.config(config.addresses.clone(), config.secret);
        Self {
            profile,
            addresses: Some(config.addresses.clone()),
            secret: Some(Secret(config.secret)),
            clock: plan.clock,
            may_be_cut_up: plan.may_be_cut_up,
            settings: Settings::of(config, &base),
            apps: plan.apps.clone(),
        }
    }

    fn plan((number, file): (u16, Self)) -> HostPlan {
        let address = Ipv4Addr::from_bits(0x0a00_0001 + u32::from(number));
        let addresses = file.addresses.unwrap_or_else(|| vec![address.into()]);
        // Any will do, if they differ from host to host.
        let secret = file.secret.map_or([number as u8; 32], |secret| secret.0);
        HostPlan {
            config: file.settings.on(file.profile.config(addresses, secret)),
            clock: file.clock,
            may_be_cut_up: file.may_be_cut_up,
            apps: file.apps,
        }
    }
}

impl CrashFile {
    fn of(crash: &Crash, hosts: &[HostPlan]) -> Self {
        let Crash {
            host,
            at,
            off,
            config,
            apps,
        } = crash;
        let before: &Config = &hosts[usize::from(*host)].config;
        let secret = (config.secret != before.secret).then_some(Secret(config.secret));
        Self {
            host: *host,
            at: Span(*at),
            off: Span(*off),
            secret,
            settings: Settings::of(config, before),
            apps: apps.clone(),
        }
    }

    fn plan(self, nth: u32, hosts: &[HostPlan]) -> Result<Crash, Wrong> {
        let Some(before) = hosts.get(usize::from(self.host)) else {
            let message = format!("there is no host {}", self.host);
            return Err(Wrong::new(format!("crashes[{nth}].host"), message));
        };
        let mut config = before.config.clone();
        if let Some(secret) = self.secret {
            config.secret = secret.0;
        }
        Ok(Crash {
            host: self.host,
            at: self.at.0,
            off: self.off.0,
            config: self.settings.on(config),
            apps: self.apps,
        })
    }
}
