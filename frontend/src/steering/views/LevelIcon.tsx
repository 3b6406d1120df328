// Verdicts told apart by shape: a disc with a check, a triangle with a question, a square with a cross.
export type Level = "trusted" | "doubtful" | "refuted";

const SHAPES: Record<Level, [outline: string, sign: string]> = {
  trusted: ["M2 10a8 8 0 0 1 16 0a8 8 0 0 1-16 0z", "M6 10.5l2.7 2.7L14 7.5"],
  doubtful: ["M10 1.5L19 18H1z", "M8.2 9.4q.2-1.6 1.8-1.6t1.8 1.5q0 1-1.8 2.1v.9M10 15v.1"],
  refuted: ["M2.5 2.5h15v15h-15z", "M6.5 6.5l7 7M13.5 6.5l-7 7"],
};

export function LevelIcon({ level }: { level: Level }) {
  const [outline, sign] = SHAPES[level];
  return (
    <svg viewBox="0 0 20 20" class="icon" aria-hidden="true">
      <path d={outline} class="outline" />
      <path d={sign} class="sign" />
    </svg>
  );
}
