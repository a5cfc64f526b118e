//! A panic in a run is a finding with its seed, not the end of the campaign.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// This thread is inside [`caught`].
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    /// What the hook heard last on this thread.
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs `work`. If it panics nothing is printed, and the error says what and where.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    install_hook();
    let outer = CATCHING.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(outer);
    outcome.map_err(|_| MESSAGE.take())
}

/// The hook of everyone else stays in force outside [`caught`].
fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CATCHING.get() {
                MESSAGE.set(info.to_string().replace('\n', " "));
            } else {
                others(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[test]
    fn a_panic_becomes_its_message_and_place() {
        let message = caught(|| panic!("number {}", 7)).expect_err("it panics");
        assert!(
            message.contains("number 7") && message.contains("panics.rs"),
            "{message}"
        );
        assert_eq!(caught(|| 3), Ok(3));
    }
}
