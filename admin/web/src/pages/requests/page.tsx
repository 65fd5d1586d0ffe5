// Placeholder while the page is built.
export function RequestsPage() {
  return <p className="p-6">Requests</p>;
}
