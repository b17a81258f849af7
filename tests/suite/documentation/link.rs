//! Every link and picture has a target. URLs are parsed, but not requested.

use std::path::{Component, Path, PathBuf};

use super::page::{Page, pages};
use crate::repository::ROOT;

/// The mistake in a link, if there is one.
fn fault(page: &Page, link: &str) -> Option<String> {
    if let Some((scheme, _)) = link.split_once("://") {
        let url = reqwest::Url::parse(link).ok().filter(|url| url.has_host() && ["http", "https"].contains(&scheme));
        return url.is_none().then(|| "no address on the web".to_owned());
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let target = if path.is_empty() { Some(page.path.clone()) } else { beside(&page.path, path) };
    let Some(target) = target else { return Some("leads out of the repository".to_owned()) };
    let built = ["target", "node_modules"].iter().any(|name| target.iter().any(|part| part == *name));
    if built || !Path::new(ROOT).join(&target).exists() {
        return Some(format!("there is no {}", target.display()));
    }
    let anchor = anchor?;
    if target.extension().is_none_or(|extension| extension != "md") {
        return Some(format!("{} has no headings", target.display()));
    }
    let known = Page::read(target).anchors;
    (!known.iter().any(|known| known == anchor)).then(|| format!("no such heading; there are {}", known.join(", ")))
}

/// The target of a relative link, from the repository's root.
fn beside(page: &Path, link: &str) -> Option<PathBuf> {
    let mut path = page.parent().unwrap().to_owned();
    for component in Path::new(link).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::ParentDir => path.pop().then_some(())?,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

#[test]
fn every_link_has_a_target() {
    let pages = pages();
    let faults: Vec<String> = pages
        .iter()
        .flat_map(|page| {
            page.links
                .iter()
                .filter_map(move |link| Some(format!("{}: {link}: {}", page.path.display(), fault(page, link)?)))
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(pages.iter().map(|page| page.links.len()).sum::<usize>() > 100, "links were not found");
}

#[test]
fn a_broken_link_is_found() {
    let page = Page { path: "docs/install.md".into(), ..Page::default() };
    for right in ["web.md", "../README.md#try-it", "runbooks", "https://example.com/a?b#c", "http://localhost:10187/"] {
        assert_eq!(fault(&page, right), None, "{right}");
    }
    for wrong in [
        "gone.md",
        "web.md#gone",
        "#gone",
        "/etc/passwd",
        "../../x",
        "../target",
        "https://",
        "ftp://x/y",
        "status-page.png#x",
    ] {
        assert!(fault(&page, wrong).is_some(), "{wrong}");
    }
}

/// Links in HTML are not checked, so pages have no HTML.
#[test]
fn pages_are_markdown() {
    for page in pages() {
        assert!(page.html.is_empty(), "{}: {:?}", page.path.display(), page.html);
    }
}

/// Readers find pages by links only.
#[test]
fn every_page_is_reachable_from_the_readme() {
    let pages = pages();
    let mut found: Vec<PathBuf> = vec!["README.md".into()];
    let mut next = 0;
    while next < found.len() {
        let links = pages.iter().find(|page| page.path == found[next]).map(|page| &page.links);
        for link in links.into_iter().flatten().filter(|link| !link.contains("://")) {
            let target = beside(&found[next], link.split('#').next().unwrap()).unwrap();
            if !found.contains(&target) {
                found.push(target);
            }
        }
        next += 1;
    }
    for page in &pages {
        assert!(found.contains(&page.path), "no page links to {}", page.path.display());
    }
}
