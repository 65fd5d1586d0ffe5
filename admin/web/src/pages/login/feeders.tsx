// The picture beside the form: feeders of many voltages on one bus.

const LINES = 13;
const COLOURS = ["stroke-chart-1", "stroke-chart-2", "stroke-chart-3", "stroke-chart-4", "stroke-chart-5"];

export function Feeders() {
  return (
    <svg aria-hidden viewBox="0 0 600 800" preserveAspectRatio="xMidYMid slice" className="absolute inset-0 size-full" fill="none">
      {Array.from({ length: LINES }, (_, index) => {
        const from = 40 + index * 46;
        const to = 300 + (index - (LINES - 1) / 2) * 7;
        const path = `M-20 ${from} H${110 + (index % 3) * 26} C 260 ${from}, 250 ${to}, 380 ${to} H620`;
        return (
          <g key={index}>
            <path d={path} className="stroke-border" strokeWidth="1.5" />
            <path
              d={path}
              pathLength={100}
              strokeDasharray="7 93"
              strokeWidth="2"
              strokeLinecap="round"
              className={`${COLOURS[index % COLOURS.length] ?? ""} motion-reduce:hidden`}
            >
              <animate attributeName="stroke-dashoffset" from="100" to="0" dur={`${3.2 + ((index * 7) % 5) * 0.7}s`} begin={`${-(index * 1.3)}s`} repeatCount="indefinite" />
            </path>
            <circle cx={110 + (index % 3) * 26} cy={from} r="3" className="fill-surface stroke-input" strokeWidth="1.5" />
          </g>
        );
      })}
      <rect x="392" y="240" width="4" height="120" rx="2" className="fill-accent" />
    </svg>
  );
}
