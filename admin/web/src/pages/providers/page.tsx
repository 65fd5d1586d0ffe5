// Placeholder while the page is built.
export function ProvidersPage() {
  return <p className="p-6">Providers</p>;
}
