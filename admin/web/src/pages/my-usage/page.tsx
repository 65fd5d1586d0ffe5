export function MyUsagePage() { return null; }
