//! The status page in a Chromium: phone and desktop, light and dark, with and without script. The pictures are in target/screenshots.

use std::path::Path;

use super::read_json;
use crate::chromium::{Browser, Page, View};
use crate::process::{Process, daemon, simulator, wait};
use crate::repository::ROOT;

const PHONE: View = View { width: 390, height: 844, is_dark: false, has_script: true };
const DESKTOP: View = View { width: 1280, height: 900, is_dark: false, has_script: true };

/// A simulator with a daemon that has polled everything once.
fn polled(directory: &Path, arguments: &[&str]) -> (Process, Process, String) {
    let (simulator, config) = simulator(directory, arguments);
    let (daemon, url) = daemon(&config, &[]);
    wait("the first round", || (read_json(&format!("{url}/api/v1/status"))["counts"]["waiting"] == 0).then_some(()));
    (simulator, daemon, url)
}

/// Checks a page in every view, folded and unfolded, and saves pictures.
fn look(browser: &mut Browser, name: &str, url: &str, mut check: impl FnMut(&mut Page<'_>, View)) {
    for (size, view) in [("phone", PHONE), ("desktop", DESKTOP)] {
        for is_dark in [false, true] {
            for has_script in [false, true] {
                let view = View { is_dark, has_script, ..view };
                let mut page = browser.open(url, view);
                check(&mut page, view);
                for folds in ["folded", "unfolded"] {
                    if folds == "unfolded" {
                        page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true })");
                    }
                    assert_eq!(page.evaluate(TOO_WIDE), serde_json::json!([]), "{name}, {folds}: {view:?}");
                    assert_eq!(page.evaluate(LOW_CONTRAST), serde_json::json!([]), "{name}, {folds}: {view:?}");
                    if has_script {
                        let scheme = if is_dark { "dark" } else { "light" };
                        let file = format!("target/screenshots/{name}-{size}-{scheme}-{folds}.png");
                        page.picture(&Path::new(ROOT).join(file));
                    }
                }
            }
        }
    }
}

/// Elements that are wider than the window.
const TOO_WIDE: &str = "[...document.querySelectorAll('body *')]
    .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML)";

/// Texts whose contrast with their background is below 4.5.
const LOW_CONTRAST: &str = r"(() => {
    const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
    const luminance = (colour) => {
        const [r, g, b] = numbers(colour).map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (one) => {
        const colour = one ? getComputedStyle(one).backgroundColor : 'rgb(255, 255, 255)';
        return numbers(colour)[3] === 0 ? behind(one.parentElement) : colour;
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), low = [];
    for (let text; (text = texts.nextNode());) {
        const one = text.parentElement;
        if (!text.data.trim() || !one.checkVisibility()) continue;
        const [a, b] = [luminance(getComputedStyle(one).color), luminance(behind(one))].sort((a, b) => b - a);
        if ((a + 0.05) / (b + 0.05) < 4.5) low.push(text.data);
    }
    return low;
})()";

/// The names of the accounts that are shown, with their states.
const ACCOUNTS: &str = "[...document.querySelectorAll('.accounts > details')]
    .map((one) => one.querySelector('.state').textContent + ' ' + one.dataset.key).join()";

fn number(page: &mut Page<'_>, expression: &str) -> f64 {
    page.evaluate(expression).as_f64().unwrap_or_else(|| panic!("{expression} is no number"))
}

#[test]
#[ignore = "scripts/test runs it: it needs Chromium"]
fn the_page_of_three_healthy_accounts_is_small() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, _daemon, url) = polled(directory.path(), &["--accounts", "3"]);
    look(&mut Browser::start(), "healthy", &url, |page, view| {
        let height = number(page, "document.documentElement.scrollHeight");
        assert!(height <= f64::from(view.height), "{height} px");
        assert_eq!(page.evaluate("document.querySelectorAll('.accounts details[open]').length"), 0);
    });
}

#[test]
#[ignore = "scripts/test runs it: it needs Chromium"]
fn failing_accounts_come_first_with_one_error() {
    let directory = tempfile::tempdir().unwrap();
    let faults = [
        "workers/500@farm-13",
        "workers/500@farm-7",
        "balance/html@farm-7",
        "nickname/forbidden@farm-7",
        "500@farm-30",
        "503=10m@farm-31",
        "login/wrong-password@farm-20",
        "login/totp-required@farm-11",
    ];
    let faults = faults.iter().flat_map(|fault| ["--fault", fault]);
    let arguments: Vec<&str> = ["--accounts", "60", "--wallets", "1"].into_iter().chain(faults).collect();
    let (_simulator, _daemon, url) = polled(directory.path(), &arguments);
    let browser = &mut Browser::start();
    look(browser, "farm", &url, |page, _| {
        let accounts = page.evaluate(ACCOUNTS);
        let first =
            "failing farm-13,failing farm-30,failing farm-31,failing farm-7,blocked farm-11,blocked farm-20,ok farm-1,";
        assert!(accounts.as_str().unwrap().starts_with(first), "{accounts}");
        assert_eq!(page.evaluate("document.querySelector('.counts').textContent"), "4 failing2 blocked55 ok");
        assert_eq!(page.evaluate("document.querySelectorAll('.accounts > details[open]').length"), 6);
        let blocked = page.evaluate("document.querySelector('[data-key=farm-20]').textContent");
        assert_eq!(blocked.as_str().unwrap().matches("wrong password").count(), 1, "{blocked}");
    });
    look(browser, "search", &format!("{url}/?name=FARM-1"), |page, _| {
        assert_eq!(page.evaluate("document.querySelector('input').value"), "FARM-1");
        assert_eq!(page.evaluate("document.querySelector('.found').textContent"), "11 of 61 accounts match.");
        assert_eq!(page.evaluate("document.querySelector('.counts').textContent"), "4 failing2 blocked55 ok");
    });
}

#[test]
#[ignore = "scripts/test runs it: it needs Chromium"]
fn wallets_have_pools_and_workers() {
    let directory = tempfile::tempdir().unwrap();
    let faults = ["--fault", "workers/500@farm-2", "--fault", "login/wrong-password@farm-4"];
    let arguments = [&["--accounts", "4", "--wallets", "2"], &faults[..]].concat();
    let (_simulator, _daemon, url) = polled(directory.path(), &arguments);
    let browser = &mut Browser::start();
    look(browser, "wallets", &url, |page, _| {
        let rig = page.evaluate("document.querySelector('[data-key=rig-1]').textContent");
        for part in ["xmr", "simulated", "last share", "garage.2"] {
            assert!(rig.as_str().unwrap().contains(part), "{part} is not in {rig}");
        }
    });
    // The picture of docs/http.md.
    let mut page = browser.open(&url, DESKTOP);
    page.evaluate("document.querySelector('[data-key=rig-1]').open = true");
    page.picture(&Path::new(ROOT).join("target/screenshots/status-page.png"));
}

#[test]
#[ignore = "scripts/test runs it: it needs Chromium"]
fn a_refresh_keeps_what_the_reader_sees_and_types() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, daemon, url) = polled(directory.path(), &["--accounts", "40", "--fault", "workers/500@farm-2"]);
    let time = "document.querySelector('.verdict small').textContent";
    let look_again = "document.dispatchEvent(new Event('visibilitychange'))";
    let browser = &mut Browser::start();
    let mut page = browser.open(&url, DESKTOP);
    // The first one fails and is unfolded; the reader folds it, and unfolds another.
    for name in ["farm-2", "farm-3"] {
        page.evaluate(&format!("document.querySelector('[data-key={name}] summary').click()"));
    }
    page.evaluate("document.querySelector('input').focus()");
    page.type_text("half a na");
    page.evaluate("document.querySelector('input').setSelectionRange(2, 4)");
    page.evaluate("scrollTo(0, 700)");
    let seen = "[scrollY, document.activeElement.value, document.activeElement.selectionStart,
        [...document.querySelectorAll('.accounts > details[open]')].map((one) => one.dataset.key).join()].join(' ')";
    let before = page.evaluate(seen);
    assert_eq!(before, "700 half a na 2 farm-3");
    let made = page.evaluate(time);
    wait("a refresh", || {
        page.evaluate(look_again);
        (page.evaluate(time) != made).then_some(())
    });
    assert_eq!(page.evaluate(seen), before);
    // The same with the focus on an account.
    page.evaluate("document.querySelector('[data-key=farm-3] summary').focus({ preventScroll: true })");
    let made = page.evaluate(time);
    wait("a refresh", || {
        page.evaluate(look_again);
        (page.evaluate(time) != made).then_some(())
    });
    assert_eq!(page.evaluate("document.activeElement.parentElement.dataset.key + scrollY"), "farm-3700");
    // A reload of the whole page.
    page.evaluate("location.reload()");
    wait("the reload", || (page.evaluate("document.activeElement?.localName ?? null") == "body").then_some(()));
    let open = "[...document.querySelectorAll('.accounts > details[open]')].map((one) => one.dataset.key).join()";
    wait("the script", || (page.evaluate(open) == "farm-3").then_some(()));
    // After the exporter has ended, the page does not say that all is well.
    daemon.signal("KILL");
    assert_eq!(page.evaluate("document.querySelector('#silent').checkVisibility()"), false);
    wait("the note", || {
        page.evaluate(look_again);
        (page.evaluate("document.querySelector('#silent').checkVisibility()") == true).then_some(())
    });
}

#[test]
#[ignore = "scripts/test runs it: it needs Chromium"]
fn the_page_is_refreshed_without_script_too() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, _daemon, url) = polled(directory.path(), &["--accounts", "1"]);
    let browser = &mut Browser::start();
    let mut page = browser.open(&url, View { has_script: false, ..DESKTOP });
    let made = page.evaluate("performance.timeOrigin");
    wait("the refresh after 30 s", || (page.evaluate("performance.timeOrigin") != made).then_some(()));
    let mut page = browser.open(&url, DESKTOP);
    assert_eq!(page.evaluate("document.querySelector('noscript').children.length"), 0, "with script it is not loaded again");
}
