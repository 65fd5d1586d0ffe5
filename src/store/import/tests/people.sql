-- What is configured there: both shapes of JSON, duplicates, nulls, and what cannot be imported.
INSERT INTO users (id, name, description, role, rpm_limit, daily_limit_usd, provider_group, tags, limit_5h_usd, limit_5h_reset_mode,
    limit_weekly_usd, limit_monthly_usd, limit_total_usd, cost_reset_at, limit_concurrent_sessions, daily_reset_mode, daily_reset_time,
    expires_at, allowed_clients, allowed_models, blocked_clients, created_at, deleted_at) VALUES
(1, 'ann', 'first', 'admin', 60, 12.34, 'vip，default', '["team-a", "team-a", ""]', 5.00, 'fixed', 50, 200, 1000, '2026-01-01 00:00:00+00', 3,
    'rolling', '06:30', '2030-01-01 00:00:00+00', '["claude-code"]', '["claude-sonnet-4-5"]', '["codex-cli"]', '2025-01-01 10:00:00+00', NULL),
(2, 'ann', NULL, NULL, 0, 0, NULL, NULL, 0, 'rolling', NULL, NULL, NULL, NULL, 0, 'fixed', '99:99', NULL, NULL, NULL, '[]', NULL, NULL),
(3, 'gone', NULL, 'user', NULL, NULL, 'default', '"no list"', NULL, 'rolling', NULL, NULL, NULL, NULL, NULL, 'fixed', '00:00', NULL, '[]', '[]', '[]',
    '2025-01-03 10:00:00+00', '2025-06-01 00:00:00+00'),
(4, '  ', NULL, 'owner', NULL, NULL, 'default', '[1, "x"]', NULL, 'rolling', NULL, NULL, NULL, NULL, NULL, 'fixed', '00:00', 'infinity', '[]', '[]', '[]',
    '2025-01-04 10:00:00+00', NULL);
INSERT INTO keys (id, user_id, key, name, is_enabled, can_login_web_ui, limit_5h_usd, limit_daily_usd, limit_concurrent_sessions, provider_group,
    cache_ttl_preference, deleted_at) VALUES
(1, 1, 'sk-00000000000000000000000000000001', 'laptop', true, true, 1.50, 2.25, 2, 'vip', 'inherit', NULL),
(2, 2, 'sk-00000000000000000000000000000002', 'off', false, NULL, 0, NULL, 0, NULL, '1h', NULL),
(3, 2, 'sk-00000000000000000000000000000001', 'double', true, false, NULL, NULL, 0, 'default', NULL, NULL),
(4, 3, 'sk-00000000000000000000000000000004', 'of nobody', true, false, NULL, NULL, 0, 'default', NULL, NULL),
(5, 99, 'sk-00000000000000000000000000000005', 'orphan', true, false, NULL, NULL, 0, 'default', NULL, NULL),
(6, 1, '', 'blank', true, false, NULL, NULL, 0, 'default', NULL, NULL),
(7, 1, 'sk-00000000000000000000000000000007', 'deleted', true, false, NULL, NULL, 0, 'default', NULL, '2025-05-01 00:00:00+00'),
(8, 2, 'short', 'weak', NULL, false, NULL, NULL, 0, 'default', NULL, NULL);
INSERT INTO provider_vendors (id, website_domain) VALUES (1, 'relay.example');
INSERT INTO provider_groups (id, name, cost_multiplier, description) VALUES
(1, 'default', 1.0, NULL),
(2, 'vip', 0.8500, '{"version": 2, "note": "the good ones", "publicStatus": {"displayName": "x"}}'),
(3, 'odd', 99999.5, '{not json');
INSERT INTO providers (id, provider_vendor_id, name, url, key, provider_type, weight, priority, group_priorities, cost_multiplier, group_tag,
    model_redirects, allowed_models, limit_daily_usd, circuit_breaker_failure_threshold, circuit_breaker_open_duration, proxy_url, custom_headers,
    first_byte_timeout_streaming_ms, streaming_idle_timeout_ms, request_timeout_non_streaming_ms, active_time_start, active_time_end,
    max_retry_attempts, deleted_at) VALUES
(1, 1, 'main', 'https://relay.example/api', 'up-secret-1', 'claude', 7, 2, '{"vip": 0, "bad": "x"}', 0.8500, 'vip, default',
    '[{"matchType": "prefix", "source": "claude-3", "target": "claude-sonnet-4-5"}]', '["claude-sonnet-4-5", {"matchType": "contains", "pattern": "haiku"}]',
    100.00, 3, 90500, 'socks5://me:proxy-secret@10.0.0.1:1080', '{"X-Team": "a", "Authorization": "Bearer stolen"}', 30000, 60000, 120000, '09:00', '18:30', 4, NULL),
(2, 1, 'main', 'http://10.0.0.5:8080', 'up-secret-2', 'openai-compatible', 500, 0, NULL, NULL, NULL,
    '{"gpt-4": "gpt-5"}', NULL, 0, NULL, NULL, 'socks4://10.0.0.1', NULL, 0, 0, 0, NULL, NULL, NULL, NULL),
(3, 1, 'strange', 'https://relay.example', 'up-secret-3', 'bedrock', 1, 0, NULL, 1, NULL, NULL, NULL, NULL, 5, 1800000, NULL, NULL, 0, 0, 0, NULL, NULL, NULL, NULL),
(4, 1, 'no address', 'relay', 'up-secret-4', 'codex', 1, 0, NULL, 1, NULL, NULL, NULL, NULL, 5, 1800000, NULL, NULL, 0, 0, 0, NULL, NULL, NULL, NULL),
(5, 1, 'gone', 'https://old.example', 'up-secret-5', 'gemini', 1, 0, NULL, 1, NULL, NULL, NULL, NULL, 5, 1800000, NULL, NULL, 0, 0, 0, NULL, NULL, NULL, '2025-05-01 00:00:00+00');
INSERT INTO provider_endpoints (vendor_id, url) VALUES (1, 'https://relay.example/api');
INSERT INTO model_prices (model_name, price_data, source, created_at) VALUES
('claude-sonnet-4-5', '{"input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05, "mode": "chat"}', 'cloud', '2026-01-01 00:00:00+00'),
('claude-sonnet-4-5', '{"input_cost_per_token": 2e-06, "output_cost_per_token": 1e-05}', 'manual', '2025-12-01 00:00:00+00'),
('house-model', '{"input_cost_per_token": 0.000001, "output_cost_per_token": 0.000002, "aliases": ["house"]}', 'cloud', '2025-11-01 00:00:00+00'),
('house-model', '{"input_cost_per_token": 0.000004, "output_cost_per_token": 0.000008, "aliases": ["house"]}', 'cloud', '2025-12-01 00:00:00+00'),
('no-price', '{"mode": "chat"}', 'cloud', '2025-12-01 00:00:00+00'),
('no-object', '[]', 'cloud', '2025-12-01 00:00:00+00');
INSERT INTO error_rules (pattern, match_type, category, description, override_response, override_status_code, is_default, priority) VALUES
('Too Many Cats', 'contains', 'house', 'cats', '{"type": "error", "error": {"type": "x", "message": "fewer cats"}}', 422, false, 5),
('^quota\d+$', 'regex', 'house', NULL, NULL, 99, false, 1),
('(?<=a)b', 'regex', 'house', 'looks back', NULL, NULL, false, 1),
('Input is too long', 'contains', 'input_limit', 'built in', NULL, NULL, true, 95);
INSERT INTO sensitive_words (word) VALUES ('secret'), ('word');
INSERT INTO system_settings (timezone) VALUES ('Asia/Shanghai');
