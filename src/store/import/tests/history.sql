-- What happened there.
INSERT INTO message_request (id, provider_id, user_id, key, model, original_model, duration_ms, cost_usd, cost_multiplier, group_cost_multiplier,
    session_id, is_replay, provider_chain, status_code, endpoint, input_tokens, output_tokens, ttfb_ms, first_byte_ms, cache_creation_input_tokens,
    cache_read_input_tokens, cache_ttl_applied, hedge_losers, error_message, blocked_by, user_agent, client_ip, created_at, deleted_at) VALUES
-- Billed, failed over, on the last second of a month.
(1, 2, 1, 'sk-00000000000000000000000000000001', 'claude-sonnet-4-5', 'claude-3-opus', 2000, 0.012345678912345, 0.85, 1, 's1', false,
    '[{"id": 2, "name": "main", "reason": "retry_failed", "statusCode": 502, "errorMessage": "bad"}, {"id": 1, "name": "main", "reason": "retry_success", "statusCode": 200}]',
    200, '/v1/messages', 100, 50, 300, 120, 40, 900, '1h', NULL, NULL, NULL, 'claude-cli/2.1.0 (external, cli)', '10.0.0.9', '2026-01-31 23:59:59.5+00', NULL),
-- A race whose loser was billed.
(2, 1, 2, 'sk-00000000000000000000000000000002', 'gpt-5', 'gpt-4', 1000, 0.5, NULL, NULL, NULL, false, 'null', 200, '/v1/chat/completions/', 10, 20, NULL, NULL,
    NULL, NULL, NULL, '[{"providerId": 2, "attemptNumber": 2, "costUsd": "0.2", "inputTokens": 7, "outputTokens": 3}]', NULL, NULL, NULL, NULL, '2026-02-01 00:00:00+00', NULL),
-- Free by rule, a replay, a warm-up, and blocked.
(3, 1, 1, 'sk-00000000000000000000000000000001', 'm', 'm', 5, 0.9, NULL, NULL, NULL, false, '{"bad": 1}', 200, '/v1/messages/count_tokens', 5, 0, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-02-01 00:00:01+00', NULL),
(4, 1, 1, 'sk-00000000000000000000000000000001', 'm', 'm', 5, 0, NULL, NULL, NULL, true, NULL, 200, '/v1/messages', 5, 1, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-02-01 00:00:02+00', NULL),
(5, 1, 1, 'sk-00000000000000000000000000000001', 'm', 'm', 5, 0, NULL, NULL, NULL, false, NULL, 200, '/v1/messages', 5, 1, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, 'warmup', NULL, NULL, '2026-02-01 00:00:03+00', NULL),
-- Failed.
(6, 1, 1, 'sk-00000000000000000000000000000001', 'm', 'm', 5, NULL, NULL, NULL, NULL, false, NULL, 503, '/v1/messages', NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, 'all providers failed', NULL, NULL, NULL, '2026-02-01 00:00:04+00', NULL),
-- The ledger failed to take it.
(7, 5, 3, 'sk-00000000000000000000000000000004', 'm', 'm', 5, 0.125, NULL, NULL, NULL, false, NULL, 200, '/v1/messages', 1, 1, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-02-02 00:00:00+00', NULL),
-- Deleted and never billed, without a time, lost, and of nobody.
(8, 1, 1, 'sk-00000000000000000000000000000001', 'm', 'm', 5, 1, NULL, NULL, NULL, false, NULL, 200, '/v1/messages', 1, 1, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-02-02 00:00:01+00', now()),
(10, 1, 1, 'sk-00000000000000000000000000000001', 'm', 'm', NULL, 0, NULL, NULL, NULL, false, NULL, NULL, '/v1/messages', NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-02-02 00:00:03+00', NULL),
(11, 3, 77, 'sk-nobody', 'm', 'm', 5, 0.25, NULL, NULL, NULL, false, NULL, 200, '/v1/messages', 1, 1, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-02-02 00:00:04+00', NULL);
INSERT INTO message_request (id, provider_id, user_id, key, created_at, updated_at) VALUES (9, 1, 1, 'sk-00000000000000000000000000000001', NULL, NULL);
INSERT INTO usage_ledger (request_id, user_id, key, provider_id, final_provider_id, model, original_model, endpoint, session_id, is_replay, status_code, blocked_by,
    cost_usd, cost_multiplier, group_cost_multiplier, input_tokens, output_tokens, cache_creation_input_tokens, cache_read_input_tokens, cache_ttl_applied,
    duration_ms, ttfb_ms, first_byte_ms, client_ip, created_at)
SELECT id, user_id, key, provider_id, CASE id WHEN 1 THEN 1 ELSE provider_id END, model, original_model, endpoint, session_id, is_replay, status_code, blocked_by,
    cost_usd, cost_multiplier, group_cost_multiplier, input_tokens, output_tokens, cache_creation_input_tokens, cache_read_input_tokens, cache_ttl_applied,
    duration_ms, ttfb_ms, first_byte_ms, client_ip, created_at
FROM message_request WHERE id IN (1, 2, 4, 6, 10, 11);
-- Only the ledger has it: its log was cleaned up.
INSERT INTO usage_ledger (request_id, user_id, key, provider_id, final_provider_id, model, endpoint, status_code, cost_usd, input_tokens, output_tokens,
    cache_creation_5m_input_tokens, cache_creation_1h_input_tokens, created_at) VALUES
(12, 1, 'sk-00000000000000000000000000000007', 5, 5, 'm', '/v1/responses', 200, 2.000000001, 11, 12, 13, 14, '2026-02-03 00:00:00+00');
