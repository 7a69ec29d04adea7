// The list of workspaces: bringing in a shared file. The page does the rest without a script.

const place = document.getElementById('shared-file');
const file = document.getElementById('file');
const problem = document.getElementById('file-problem');

file.addEventListener('change', async () => {
  const [chosen] = file.files;
  if (!chosen) return;
  problem.textContent = '';
  const headers = {
    accept: 'application/json',
    'content-type': 'application/octet-stream',
    'x-csrf-token': place.dataset.formToken,
  };
  try {
    const answer = await fetch('/explorer/api/workspaces/import', { method: 'POST', headers, body: chosen });
    const told = await answer.json();
    if (answer.ok) location.assign(`/explorer/w/${told.id}`);
    else problem.textContent = `${told.error.what}: ${told.error.hint}`;
  } catch {
    problem.textContent = 'Hallpass does not answer: check that it still runs, and load the page again';
  }
  file.value = '';
});
place.hidden = false;
