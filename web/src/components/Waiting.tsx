/** Before the first figures: the shape of the page, so that nothing jumps when they come. */
export function Waiting() {
  return (
    <div class="waiting" role="status" aria-label="Loading">
      <div class="tiles">
        {[0, 1, 2, 3, 4].map((i) => (
          <div key={i} class="card ghost" style="height:104px" />
        ))}
      </div>
      <div class="two">
        <div class="card ghost" style="height:340px" />
        <div class="card ghost" style="height:340px" />
      </div>
    </div>
  );
}
