// Airflow keeps its colour mode here; without one, the style sheet goes by the system's.
const mode = localStorage.getItem("theme");
if (mode === "dark" || mode === "light") document.documentElement.dataset.theme = mode;
