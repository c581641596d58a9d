// Before the first paint, so that a chosen theme never flashes.
try {
  const theme = localStorage.getItem('qm-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // No storage allowed: the system's colours will do.
}
