/** The beginning of `/verify`. It builds no services: the page has no account, no storage and no network. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { VerifyPage } from './page.tsx';
import '../styles/index.css';

const place = document.getElementById('root');
if (place === null) throw new Error('the page has no place for the app');
createRoot(place).render(
  <StrictMode>
    <VerifyPage />
  </StrictMode>,
);
