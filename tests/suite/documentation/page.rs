//! The parts of a Markdown page that tests check: links, headings, and blocks of commands.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::repository::{files, read};

/// A block of commands.
pub(super) struct Block {
    /// The heading above it.
    pub(super) section: String,
    /// The comment just before it.
    pub(super) comment: Option<String>,
    pub(super) text: String,
}

/// The checked parts of a page.
#[derive(Default)]
pub(super) struct Page {
    /// From the repository's root.
    pub(super) path: PathBuf,
    /// The targets of its links and pictures, as they are written.
    pub(super) links: Vec<String>,
    /// The anchors of its headings.
    pub(super) anchors: Vec<String>,
    /// Blocks of ```` ```sh ````.
    pub(super) blocks: Vec<Block>,
    /// Its HTML, without comments.
    pub(super) html: Vec<String>,
}

/// Every page of the repository.
pub(super) fn pages() -> Vec<Page> {
    files("", ".md").into_iter().map(Page::read).collect()
}

impl Page {
    pub(super) fn read(path: PathBuf) -> Page {
        let page = Page::parse(&read(&path));
        Page { path, ..page }
    }

    pub(super) fn parse(text: &str) -> Page {
        let mut page = Page::default();
        let mut repeated = BTreeMap::new();
        let (mut heading, mut code, mut comment, mut section) = (None, None, None, String::new());
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.to_string());
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    section = heading.take().unwrap_or_default();
                    let anchor = anchor(&section);
                    let times = repeated.entry(anchor.clone()).and_modify(|times| *times += 1).or_insert(0);
                    page.anchors.push(if *times == 0 { anchor } else { format!("{anchor}-{times}") });
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) if &*language == "sh" => {
                    code = Some(String::new());
                }
                Event::End(TagEnd::CodeBlock) => {
                    let block = |text| Block { section: section.clone(), comment: comment.take(), text };
                    page.blocks.extend(code.take().map(block));
                }
                Event::Text(part) | Event::Code(part) => {
                    for text in [&mut heading, &mut code].into_iter().flatten() {
                        text.push_str(&part);
                    }
                }
                Event::Html(html) | Event::InlineHtml(html) => match html.trim().strip_prefix("<!--") {
                    Some(inner) => comment = inner.strip_suffix("-->").map(|inner| inner.trim().to_owned()),
                    None => page.html.push(html.to_string()),
                },
                Event::Start(Tag::Paragraph) => comment = None,
                _ => {}
            }
        }
        page
    }
}

/// The anchor of a heading: small letters, digits, and hyphens for spaces.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>();
    kept.replace(' ', "-")
}

#[test]
fn links_headings_and_blocks_of_a_page_are_found() {
    let page = Page::parse(
        "# Of `a_b`, and c\n\n[one](a.md#b) ![two](c.png) <http://d>\n\n| x |\n| --- |\n| [three](e) |\n\n## Same\n## Same\n\n\
         <!-- not run: why -->\n```sh\nls [no](link)\n```\n\n<!-- gone -->\n\nText.\n\n- ```sh\n  pwd\n  ```\n\n<img src=\"f.png\">\n",
    );
    assert_eq!(page.links, ["a.md#b", "c.png", "http://d", "e"]);
    assert_eq!(page.anchors, ["of-a_b-and-c", "same", "same-1"]);
    let blocks: Vec<_> = page.blocks.iter().map(|b| (&*b.section, b.comment.as_deref(), &*b.text)).collect();
    assert_eq!(blocks, [("Same", Some("not run: why"), "ls [no](link)\n"), ("Same", None, "pwd\n")]);
    assert_eq!(page.html, ["<img src=\"f.png\">\n"]);
}
