import { defineMessages } from "@/lib/i18n";

export const messages = defineMessages({
  en: {
    title: "Log in",
    text: "With the admin token, or with a key that may use the dashboard.",
    key: "Token or key",
    show: "Show",
    hide: "Hide",
    submit: "Log in",
    submitting: "Logging in…",
    insecure: "This page is not encrypted. The gateway marks its cookie as secure, so logging in works over HTTPS or on this machine only; set ENABLE_SECURE_COOKIES=false where there is no TLS.",
    cookieRefused: "The browser did not keep the session's cookie. Open this page over HTTPS, or set ENABLE_SECURE_COOKIES=false.",
    tagline: "One address for every coding agent. Every provider, key and dollar in sight.",
  },
  zh: {
    title: "登录",
    text: "使用管理员令牌，或允许登录控制台的密钥。",
    key: "令牌或密钥",
    show: "显示",
    hide: "隐藏",
    submit: "登录",
    submitting: "正在登录…",
    insecure: "此页面未加密。网关的 Cookie 仅限安全连接，因此只能通过 HTTPS 或在本机登录；没有 TLS 时请设置 ENABLE_SECURE_COOKIES=false。",
    cookieRefused: "浏览器没有保存会话 Cookie。请通过 HTTPS 打开本页，或设置 ENABLE_SECURE_COOKIES=false。",
    tagline: "一个地址，接入所有编程智能体；每个供应商、密钥和每一美元都一目了然。",
  },
});
