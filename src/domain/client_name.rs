//! Which program calls, coarsely, by its `User-Agent`: for sums, not for decisions. Rules about clients are `domain::client`.

use entity::value::ClientName;

/// What a `User-Agent` begins with, in lower case, and whose it is.
const KNOWN: [(&str, ClientName); 11] = [
    ("claude-cli/", ClientName::ClaudeCode),
    ("claude-code/", ClientName::ClaudeCode),
    ("codex", ClientName::CodexCli),
    ("geminicli", ClientName::GeminiCli),
    ("opencode/", ClientName::Opencode),
    ("anthropic/", ClientName::AnthropicSdk),
    ("asyncanthropic/", ClientName::AnthropicSdk),
    ("openai/", ClientName::OpenaiSdk),
    ("asyncopenai/", ClientName::OpenaiSdk),
    ("google-genai-sdk/", ClientName::GoogleSdk),
    ("google-api-", ClientName::GoogleSdk),
];

/// The program that says this of itself.
#[must_use]
pub fn name_of(user_agent: Option<&str>) -> ClientName {
    let text = user_agent.unwrap_or_default().trim_start().as_bytes();
    if text.is_empty() {
        return ClientName::Unknown;
    }
    let begins = |with: &str| {
        text.get(..with.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()))
    };
    let known = KNOWN.iter().find(|(start, _)| begins(start));
    known.map_or(ClientName::Other, |(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_known_in_any_version() {
        for (user_agent, name) in [
            ("claude-cli/2.1.197 (external, cli)", ClientName::ClaudeCode),
            (
                "codex_cli_rs/0.1.0 (Debian 12; x86_64)",
                ClientName::CodexCli,
            ),
            ("codex-tui/0.2", ClientName::CodexCli),
            ("GeminiCLI-tui/0.61.0/gemini", ClientName::GeminiCli),
            ("opencode/1.0", ClientName::Opencode),
            ("Anthropic/Python 0.40.0", ClientName::AnthropicSdk),
            ("AsyncOpenAI/Python 1.2", ClientName::OpenaiSdk),
            ("OpenAI/JS 5.0", ClientName::OpenaiSdk),
            ("google-genai-sdk/1.0 gl-python", ClientName::GoogleSdk),
            ("curl/8.5", ClientName::Other),
            ("", ClientName::Unknown),
            (" ", ClientName::Unknown),
        ] {
            assert_eq!(name_of(Some(user_agent)), name, "{user_agent}");
        }
        assert_eq!(name_of(None), ClientName::Unknown);
    }
}
