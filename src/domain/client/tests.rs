//! Client rules as a specification, with `User-Agent`s as the clients send them.

use proptest::prelude::{ProptestConfig, proptest};

use super::*;

const CLAUDE: &str = "claude-cli/2.1.197 (external, cli)";
const CLAUDE_PRINT: &str = "claude-cli/2.1.197 (external, sdk-cli)";
const CLAUDE_VSCODE: &str = "claude-cli/2.0.31 (external, claude-vscode, agent-sdk/0.1.31)";
const CLAUDE_PY: &str = "claude-cli/1.0.98 (external, sdk-py)";
const CLAUDE_ACTION: &str = "claude-cli/2.1.9 (external, claude-code-github-action)";
const CODEX: &str = "codex_cli_rs/0.93.0 (Ubuntu 24.4.0; x86_64) xterm-256color";
const CODEX_EXEC: &str = "codex_exec/0.169.0 (Debian 12.0.0; x86_64) unknown";
const CODEX_TUI: &str = "codex-tui/0.169.0 (Mac OS 15.1.0; arm64) iTerm.app/3.5";
const CODEX_VSCODE: &str = "codex_vscode/0.90.0 (Windows 10.0; x86_64) unknown";
const CODEX_DESKTOP: &str = "Codex Desktop/0.94.0 (Mac OS 15.1.0; arm64)";
const GEMINI: &str = "GeminiCLI-tui/0.61.0/gemini-2.5-pro (linux; x64; terminal)";
const FACTORY: &str = "factory-cli/0.19.3";
const OPENCODE: &str = "opencode/1.0.55 ai-sdk/provider-utils/3.0.9";
const CURL: &str = "curl/8.14.1";

const ALL: [&str; 14] = [
    CLAUDE,
    CLAUDE_PRINT,
    CLAUDE_VSCODE,
    CLAUDE_PY,
    CLAUDE_ACTION,
    CODEX,
    CODEX_EXEC,
    CODEX_TUI,
    CODEX_VSCODE,
    CODEX_DESKTOP,
    GEMINI,
    FACTORY,
    OPENCODE,
    CURL,
];

fn matches(user_agent: &str, rule: &str) -> bool {
    Client::new(user_agent).is_some_and(|client| ClientRule::new(rule).matches(&client))
}

#[test]
fn a_rule_means_these_clients_and_no_others() {
    let claude: &[&str] = &ALL[..5];
    let codex: &[&str] = &ALL[5..10];
    let table: [(&str, &[&str]); 26] = [
        ("claude-code", claude),
        ("Claude-Code", claude),
        ("claude-code-cli", &[CLAUDE]),
        ("claude-code-cli-sdk", &[CLAUDE_PRINT]),
        ("claude-code-vscode", &[CLAUDE_VSCODE]),
        ("claude-code-sdk-py", &[CLAUDE_PY]),
        ("claude-code-sdk-ts", &[]),
        ("claude-code-gh-action", &[CLAUDE_ACTION]),
        ("codex-cli", codex),
        ("codex_cli_core", &[CODEX, CODEX_TUI]),
        ("codex_exec", &[CODEX_EXEC]),
        ("codex_vscode", &[CODEX_VSCODE]),
        ("Codex Desktop", &[CODEX_DESKTOP]),
        ("gemini-cli", &[GEMINI]),
        ("factory-cli", &[FACTORY]),
        ("FactoryCLI", &[FACTORY]),
        ("opencode", &[OPENCODE]),
        ("curl/8", &[CURL]),
        ("curl/8.14.2", &[]),
        (" curl ", &[CURL]),
        ("claude-cli/2.1.*cli", &[CLAUDE, CLAUDE_PRINT]),
        ("*vscode*", &[CLAUDE_VSCODE, CODEX_VSCODE]),
        ("arm64*codex", &[]),
        ("*", &ALL),
        ("-_", &[]),
        ("", &[]),
    ];
    for (rule, means) in table {
        let found: Vec<&str> = ALL.into_iter().filter(|it| matches(it, rule)).collect();
        assert_eq!(found, means, "{rule}");
    }
}

#[test]
fn a_known_name_is_the_clients_own_and_no_mention_of_it() {
    assert!(!matches("proxy/1 (for claude-code)", "claude-code"));
    assert!(!matches("my-codex-cli/1", "codex-cli"));
    assert!(!matches("curl/8 (external, cli)", "claude-code-cli"));
    assert!(!matches("claude-cli/2.1", "claude-code-cli"));
}

#[test]
fn blocked_wins_and_allowed_wants_a_name() {
    let rules = |rules: &[&str]| rules.iter().map(|r| ClientRule::new(r)).collect::<Vec<_>>();
    let (none, claude) = (rules(&[]), rules(&["claude-code"]));
    let client = Client::new(CLAUDE);
    let client = client.as_ref();
    assert!(admits(&none, &none, client) && admits(&none, &none, None));
    assert!(admits(&claude, &none, client) && !admits(&claude, &none, None));
    assert!(!admits(&none, &claude, client) && admits(&none, &claude, None));
    assert!(!admits(&claude, &rules(&["curl", "external"]), client));
    assert!(!admits(&rules(&["curl"]), &none, client));
    assert!(Client::new("  ").is_none() && Client::new("-").is_none());
}

#[test]
fn a_long_user_agent_costs_no_more_than_its_start() {
    let long = "a".repeat(100_000) + "b";
    assert!(!matches(&long, "b"));
    assert!(!matches(&long, &("*a".repeat(2_000) + "b")));
    assert!(matches(&long, &"a".repeat(LONGEST)));
    assert!(!matches(&long, &"a".repeat(LONGEST + 1)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn a_piece_of_a_user_agent_matches_it(agent in "[ -~]{1,80}", from in 0usize..80, length in 1usize..20) {
        let from = from % agent.len();
        let piece = &agent[from..(from + length).min(agent.len())];
        let says_something = piece.bytes().any(|b| b.is_ascii_alphanumeric());
        let client = Client::new(&agent);
        let is_a_name = client.is_none() || bit_of(piece.trim()).is_some();
        if says_something && !is_a_name {
            assert!(matches(&agent, piece), "{piece:?} in {agent:?}");
            assert!(matches(&agent, &piece.to_ascii_uppercase()));
            assert!(matches(&agent, &format!("*{}*", agent.trim())));
        }
    }
}
